--[[ Ends a lease, and wakes who is next.
  KEYS[1] holders   KEYS[2] queue   KEYS[3] waiters
  ARGV[1] mode   ARGV[2] owner   ARGV[3] now, us, for tests
  Returns 1 released | 0 was not held any more ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
local now = clock_us(ARGV[3])
local member = ARGV[1] .. ARGV[2]
local ends = redis.call('ZSCORE', KEYS[1], member)
if not ends then return 0 end
redis.call('ZREM', KEYS[1], member)
if redis.call('EXISTS', KEYS[2]) == 1 then wake_head(KEYS[2], KEYS[3], now) end
return tonumber(ends) > now and 1 or 0
