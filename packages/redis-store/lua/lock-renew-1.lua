--[[ Prolongs a hold.
  KEYS[1]  lock
  ARGV[1]  mode and owner
  ARGV[2]  term, ms
  ARGV[3]  now, us, for tests
  Returns 1 prolonged | 0 had ended ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
local now = clock_us(ARGV[3])
local held_until = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
-- A term that has ended stays ended, even if nobody else took the lock: its holder knows that from its own clock.
if held_until <= now then return 0 end
-- A renewal may come late, after one that made the term longer.
local ends = math.max(held_until, now + tonumber(ARGV[2]) * 1000)
redis.call('ZADD', KEYS[1], whole(ends), ARGV[1])
remember(KEYS[1], ends, 0, now, false)
return 1
