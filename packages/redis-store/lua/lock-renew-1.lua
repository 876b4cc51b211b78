--[[ Prolongs a lease.
  KEYS[1] holders
  ARGV[1] mode   ARGV[2] owner   ARGV[3] lease, ms   ARGV[4] now, us, for tests
  Returns 1 prolonged | 0 had ended ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
local now = clock_us(ARGV[4])
local member = ARGV[1] .. ARGV[2]
local lease = tonumber(ARGV[3])
local ends = redis.call('ZSCORE', KEYS[1], member)
-- A lease that has ended stays ended, even if nobody came for the lock: its holder has been told so by its own clock.
if not ends or tonumber(ends) <= now then return 0 end
redis.call('ZADD', KEYS[1], whole(now + lease * 1000), member)
outlive(KEYS[1], lease)
return 1
