--[[ Looks at a lock and changes nothing.
  KEYS[1]  lock
  KEYS[2]  queue
  ARGV[1]  now, us, for tests
  Returns {fence, waiters, holder, ms left, holder, ms left, ...} ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
local now = clock_us(ARGV[1])
local reply = { -tonumber(redis.call('ZSCORE', KEYS[1], FENCE) or '0'), redis.call('ZCARD', KEYS[2]) }
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. whole(now), '+inf', 'WITHSCORES')
for i = 1, #live, 2 do
  reply[#reply + 1] = live[i]
  reply[#reply + 1] = math.ceil((tonumber(live[i + 1]) - now) / 1000)
end
return reply
