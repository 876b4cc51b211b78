--[[ Puts items into a structure: all of them, or none.
  KEYS[1]    items
  KEYS[2]    order
  ARGV[1]    now, us, for tests
  ARGV[2]    how long the structure lives from now on, ms
  ARGV[3]    how many items it has at most
  ARGV[4]    refuse | drop: what becomes of new items when there is no room
  ARGV[5..]  for each item: its name, the version that it must have (0 for none; empty for any), its bytes
  Returns {0, how many were added, how many were dropped} | {1} full | {2} another version ]]
--- @include "now"
--- @include "clock"
--- @include "structure"
local items, order = KEYS[1], KEYS[2]
local most = tonumber(ARGV[3])
local count = mended(items, order)
local added = 0
for i = 5, #ARGV, 3 do
  local version = redis.call('ZSCORE', order, ARGV[i])
  if not version then added = added + 1 end
  if ARGV[i + 1] ~= '' and tonumber(version or '0') ~= tonumber(ARGV[i + 1]) then return { 2 } end
end
if ARGV[4] == 'refuse' and added > 0 and count + added > most then return { 1 } end

-- Larger than all that are there, also when the clock is set back.
local newest = redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')
local version = math.max(clock_us(ARGV[1]), tonumber(newest[2] or '0'))
for i = 5, #ARGV, 3 do
  version = version + 1
  redis.call('HSET', items, ARGV[i], struct.pack('>I7', version) .. ARGV[i + 2])
  redis.call('ZADD', order, whole(version), ARGV[i])
end

local surplus = ARGV[4] == 'drop' and math.max(0, count + added - most) or 0
for start = 0, surplus - 1, AT_ONCE do
  local oldest = redis.call('ZRANGE', order, 0, math.min(AT_ONCE, surplus - start) - 1)
  redis.call('ZREM', order, unpack(oldest))
  redis.call('HDEL', items, unpack(oldest))
end
redis.call('PEXPIRE', items, ARGV[2])
redis.call('PEXPIRE', order, ARGV[2])
return { 0, added, surplus }
