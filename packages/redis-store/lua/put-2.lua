--[[ Replaces an entry; evicts instead when the key was changed after the writer looked, or may have been.
  KEYS[1]  entry
  KEYS[2]  partition log
  ARGV[1]  bytes
  ARGV[2]  life, ms
  ARGV[3]  since, 0 to write in any case
  ARGV[4]  channel
  ARGV[5]  partition
  ARGV[6]  full key
  Returns {stored 0 | 1, now, previous, seq} ]]
--- @include "now"
--- @include "mint"
--- @include "header"
--- @include "log"
local key, log = KEYS[1], KEYS[2]
local since, name = tonumber(ARGV[3]), ARGV[6]
local us = now_us()
local now = math.floor(us / 1000)

local function is_refused()
  if since == 0 then return false end
  local seq, floor = open_log(log, us)
  if not reaches_back(log, since, seq, floor) then return true end
  local later = redis.call('ZRANGEBYSCORE', log, '(' .. whole(since), '+inf', 'WITHSCORES')
  for i = 1, #later, 2 do
    if later[i] == whole(tonumber(later[i + 1])) .. ':' .. name then return true end
  end
  return false
end

local stored = 1
if is_refused() then
  remove(key, window_of(read_header(key), now), now)
  stored = 0
else
  redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
  redis.call('SETRANGE', key, 18, struct.pack('>I6', now))
end
-- The message wakes waiters too.
local previous, seq = record(log, ARGV[4], ARGV[5], { name }, us)
return { stored, now, previous, seq }
