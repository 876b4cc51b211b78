--[[ Prolongs a lease.
  KEYS[1] lock
  ARGV[1] mode and owner   ARGV[2] lease, ms   ARGV[3] now, us, for tests
  Returns 1 prolonged | 0 had ended ]]
--- @include "now"
--- @include "clock"
local now = clock_us(ARGV[3])
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
-- A lease that has ended stays ended, even if nobody came for the lock: its holder has been told so by its own clock.
if not ends or tonumber(ends) <= now then return 0 end
-- The key lives for its fence, which is longer than any lease, from the last grant on; so no hold may be longer than that.
redis.call('ZADD', KEYS[1], whole(now + tonumber(ARGV[2]) * 1000), ARGV[1])
return 1
