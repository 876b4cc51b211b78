--[[ Evicts entries of one partition, and with them every lease on them.
  KEYS[1] partition log   KEYS[2..] entries
  ARGV[1] soft 0 | 1   ARGV[2] settle window, ms, 0 for none   ARGV[3] channel   ARGV[4] partition
  ARGV[5..] full keys, in the order of the entries
  Returns {now, previous, seq} ]]
--- @include "now"
--- @include "header"
--- @include "log"
local log, is_soft, settle = KEYS[1], ARGV[1] == '1', tonumber(ARGV[2])
local us = now_us()
local now = math.floor(us / 1000)

local function soften(key)
  local head = read_header(key)
  if not head then return end
  if has(head.flags, EMPTY) then
    redis.call('UNLINK', key)
    return
  end
  set_flags(key, with(without(head.flags, WAITED), STALE))
  set_lease(key, 0, 0)
end

local function leave_window(key)
  local bytes = string.char(202, 1, EMPTY + SETTLING, 0) .. string.rep('\0', 14) .. struct.pack('>I6', now)
    .. string.rep('\0', 10) .. struct.pack('>I5', settle) .. string.rep('\0', HEADER - 39)
  redis.call('SET', key, bytes, 'PX', whole(settle))
end

local names = {}
for i = 2, #KEYS do
  local key = KEYS[i]
  if is_soft then
    soften(key)
  elseif settle > 0 then
    leave_window(key)
  else
    redis.call('UNLINK', key)
  end
  names[i - 1] = ARGV[i + 3]
end
local previous, seq = record(log, ARGV[3], ARGV[4], names, us)
return { whole(now), whole(previous), whole(seq) }
