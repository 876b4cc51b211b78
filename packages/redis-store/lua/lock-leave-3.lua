--[[ Gives up: leaves the queue, and releases a grant whose reply came too late or never.
  KEYS[1] holders   KEYS[2] queue   KEYS[3] waiters
  ARGV[1] mode   ARGV[2] owner   ARGV[3] now, us, for tests
  Returns 1 ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
local now = clock_us(ARGV[3])
local member = ARGV[1] .. ARGV[2]
redis.call('ZREM', KEYS[1], member)
redis.call('ZREM', KEYS[2], member)
redis.call('HDEL', KEYS[3], member)
-- Whoever is next may fit now, or may have fitted behind a head that did not.
wake_head(KEYS[2], KEYS[3], now)
return 1
