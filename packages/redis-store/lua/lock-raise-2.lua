--[[ Raises the last fence while the owner holds: the second round of a quorum.
  KEYS[1] holders   KEYS[2] fence
  ARGV[1] mode   ARGV[2] owner   ARGV[3] fence   ARGV[4] how long a fence is remembered, ms   ARGV[5] now, us, for tests
  Returns 1 raised | 0 is not held ]]
--- @include "now"
--- @include "clock"
local now = clock_us(ARGV[5])
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1] .. ARGV[2])
if not ends or tonumber(ends) <= now then return 0 end
local fence = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[3]))
redis.call('SET', KEYS[2], whole(fence), 'PX', ARGV[4])
return 1
