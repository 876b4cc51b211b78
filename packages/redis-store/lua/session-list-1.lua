--[[ Lists the live sessions of a user, the one that ends first first.
  KEYS[1]  list of the tag
  ARGV[1]  now, us, for tests
  Returns {name, end, name, end, ...} ]]
--- @include "now"
--- @include "clock"
local now = math.floor(clock_us(ARGV[1]) / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. whole(now), '+inf', 'WITHSCORES')
