--[[ Keeps how many partitions an event store has, the first time.
  KEYS[1]  how many partitions there are
  ARGV[1]  how many are wanted
  Returns {how many there are} ]]
local kept = redis.call('GET', KEYS[1])
if kept then return { kept } end
redis.call('SET', KEYS[1], ARGV[1])
return { ARGV[1] }
