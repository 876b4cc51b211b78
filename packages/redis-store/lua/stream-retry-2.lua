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
if ARGV[6] == '1' then
  redis.call('XCLAIM', KEYS[1], ARGV[2], ARGV[3], 0, ARGV[4], 'RETRYCOUNT', math.max(0, deliveries - 1), 'JUSTID')
end
redis.call('ZADD', KEYS[2], whole(math.floor(clock_us(ARGV[1]) / 1000) + tonumber(ARGV[5])), ARGV[4])
return { 1 }
