--[[ Raises the last fence while the owner holds: the second round of a quorum.
  KEYS[1]  lock
  ARGV[1]  mode and owner
  ARGV[2]  fence
  ARGV[3]  now, us, for tests
  Returns 1 raised | 0 is not held ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
local now = clock_us(ARGV[3])
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends or tonumber(ends) <= now then return 0 end
local last = -tonumber(redis.call('ZSCORE', KEYS[1], FENCE) or '0')
local fence = math.max(last, tonumber(ARGV[2]))
redis.call('ZADD', KEYS[1], '-' .. whole(fence), FENCE)
-- It may be ahead of this server's clock, and then is remembered until that has passed it.
remember(KEYS[1], tonumber(ends), fence, now, false)
return 1
