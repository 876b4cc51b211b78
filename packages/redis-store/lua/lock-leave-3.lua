--[[ Gives up: leaves the queue, and releases a grant whose reply came too late or never.
  KEYS[1]  lock
  KEYS[2]  queue
  KEYS[3]  waiters
  ARGV[1]  mode and owner
  ARGV[2]  now, us, for tests
  Returns 1 ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
-- The next waiter may fit now, or would have fitted already without the head of the queue.
wake_head(KEYS[2], KEYS[3], clock_us(ARGV[2]))
return 1
