--[[ Makes a dead letter of an entry of a consumer.
  KEYS[1]  stream
  KEYS[2]  when entries are due again, ms
  KEYS[3]  dead letters of the group
  ARGV[1]  group
  ARGV[2]  consumer
  ARGV[3]  entry
  ARGV[4]  why
  ARGV[5]  how often it was delivered
  ARGV[6]  how many dead letters are kept
  ARGV[7]  its bytes
  Returns {1} | {0} when the entry is not its own ]]
--- @include "stream"
if pending(KEYS[1], ARGV[1], ARGV[3]) ~= ARGV[2] then return { 0 } end
redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[6], '*', 'm', ARGV[7], 'e', ARGV[4], 'n', ARGV[5], 's', ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[3])
return { redis.call('XACK', KEYS[1], ARGV[1], ARGV[3]) }
