--[[ Lets an entry of a consumer be due again, later or at once.
  KEYS[1]  stream
  KEYS[2]  when entries are due again, ms
  ARGV[1]  now, us, for tests
  ARGV[2]  group
  ARGV[3]  consumer
  ARGV[4]  entry
  ARGV[5]  in how many ms
  ARGV[6]  1: this delivery does not count
  Returns {1} | {0} when the entry is not its own ]]
--- @include "now"
--- @include "clock"
--- @include "stream"
local owner, deliveries = pending(KEYS[1], ARGV[2], ARGV[4])
if owner ~= ARGV[3] then return { 0 } end
local now = math.floor(clock_us(ARGV[1]) / 1000)
if ARGV[6] == '1' then
  hand_back(KEYS[1], KEYS[2], ARGV[2], ARGV[3], ARGV[4], deliveries, whole(now))
else
  redis.call('ZADD', KEYS[2], whole(now + tonumber(ARGV[5])), ARGV[4])
end
return { 1 }
