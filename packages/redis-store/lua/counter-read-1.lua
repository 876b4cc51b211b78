--[[ Reads the counts of periods.
  KEYS[1]    counts by where each period begins
  ARGV[1]    now, us, for tests
  ARGV[2]    where the present period begins, ms; empty without periods
  ARGV[3]    where it ends, ms
  ARGV[4..]  names of the periods
  Returns {0, now in ms} when it is another period | {1, count, ...} ]]
--- @include "now"
--- @include "clock"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local from = tonumber(ARGV[2])
if from and (now < from or now >= tonumber(ARGV[3])) then return { 0, now } end
local reply = redis.call('HMGET', KEYS[1], unpack(ARGV, 4))
for i = 1, #reply do reply[i] = reply[i] or '0' end
table.insert(reply, 1, 1)
return reply
