--[[ Evicts entries of one partition, and with them every lease on them.
  KEYS[1]    partition log
  KEYS[2..]  entries
  ARGV[1]    soft 0 | 1
  ARGV[2]    settle window, ms, 0 for none
  ARGV[3]    channel
  ARGV[4]    partition
  ARGV[5..]  full keys, in the order of the entries
  Returns {now, previous, seq} ]]
--- @include "now"
--- @include "mint"
--- @include "header"
--- @include "log"
--- @include "full"
local log, is_soft, settle = KEYS[1], ARGV[1] == '1', tonumber(ARGV[2])
local us = now_us()
local now = math.floor(us / 1000)

-- An earlier window that ends later stays: the source cannot be trusted again before its end.
local function window_after(head)
  return math.max(settle, window_of(head, now))
end

local function soften(key)
  local head = read_header(key)
  local window = window_after(head)
  if not head or has(head.flags, EMPTY) then return remove(key, window, now) end
  local flags = bit.bor(bit.band(head.flags, bit.bnot(WAITED + SETTLING)), STALE)
  if window > 0 then
    flags = flags + SETTLING
    set_window(key, head, now + window)
    live_at_least(key, window)
  end
  set_flags(key, flags)
  set_lease(key, 0, 0)
end

local function harden(key)
  local head = read_header(key)
  remove(key, window_after(head), now)
end

begin_even_when_full(log)
local names = {}
for i = 2, #KEYS do
  if is_soft then soften(KEYS[i]) else harden(KEYS[i]) end
  names[i - 1] = ARGV[i + 3]
end
-- The message wakes waiters too.
local previous, seq = record(log, ARGV[3], ARGV[4], names, us, is_soft, settle)
return { now, previous, seq }
