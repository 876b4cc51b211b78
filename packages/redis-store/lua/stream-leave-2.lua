--[[ Ends a consumer: what it has is due at once, and these deliveries do not count.
  KEYS[1]  stream
  KEYS[2]  when entries are due again, ms
  ARGV[1]  now, us, for tests
  ARGV[2]  group
  ARGV[3]  consumer
  Returns {1} when it is forgotten | {0} when something of it waits, or there is no such group ]]
--- @include "now"
--- @include "clock"
--- @include "stream"
local stream, due, group, consumer = KEYS[1], KEYS[2], ARGV[2], ARGV[3]
local now = whole(math.floor(clock_us(ARGV[1]) / 1000))
local from = '-'
for _ = 1, 100 do
  local found = redis.pcall('XPENDING', stream, group, from, '+', 100, consumer)
  if found.err then return { 0 } end
  for _, entry in ipairs(found) do hand_back(stream, due, group, consumer, entry[1], entry[4], now) end
  if #found < 100 then break end
  from = '(' .. found[100][1]
end
if #redis.call('XPENDING', stream, group, '-', '+', 1, consumer) > 0 then return { 0 } end
redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer)
return { 1 }
