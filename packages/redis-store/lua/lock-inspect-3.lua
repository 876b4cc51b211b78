--[[ Looks at a lock and changes nothing.
  KEYS[1] holders   KEYS[2] fence   KEYS[3] queue
  ARGV[1] now, us, for tests
  Returns {fence, waiters, holder, ms left, holder, ms left, ...} ]]
--- @include "now"
--- @include "clock"
local now = clock_us(ARGV[1])
local reply = { tonumber(redis.call('GET', KEYS[2]) or '0'), redis.call('ZCARD', KEYS[3]) }
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. whole(now), '+inf', 'WITHSCORES')
for i = 1, #live, 2 do
  reply[#reply + 1] = live[i]
  reply[#reply + 1] = math.ceil((tonumber(live[i + 1]) - now) / 1000)
end
return reply
