--[[ Ends all sessions of a user in one step, except one.
  KEYS[1]  list of the tag
  ARGV[1]  now, us, for tests
  ARGV[2]  the name of the session that stays; empty for none
  Returns the names of those that were ended ]]
--- @include "now"
--- @include "clock"
local now = math.floor(clock_us(ARGV[1]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', whole(now))
local names = redis.call('ZRANGE', KEYS[1], 0, -1)
local stays = ARGV[2] ~= '' and redis.call('ZSCORE', KEYS[1], ARGV[2])
redis.call('UNLINK', KEYS[1])
if not stays then return names end
redis.call('ZADD', KEYS[1], stays, ARGV[2])
redis.call('PEXPIRE', KEYS[1], whole(math.max(1, tonumber(stays) - now)))
local ended = {}
for _, name in ipairs(names) do
  if name ~= ARGV[2] then ended[#ended + 1] = name end
end
return ended
