--[[ Saves how far a projection has come, if it is still the owner's turn, and renews the turn.
  KEYS[1]  projection
  ARGV[1]  now, us, for tests
  ARGV[2]  owner
  ARGV[3]  fence
  ARGV[4]  position
  ARGV[5]  how long the turn lasts without a sign of life, ms; 0: it ends with this
  Returns {1} | {0} when it is somebody else's turn ]]
--- @include "now"
--- @include "clock"
local now, lease = math.floor(clock_us(ARGV[1]) / 1000), tonumber(ARGV[5])
local kept = redis.call('HMGET', KEYS[1], 'owner', 'fence', 'position')
if kept[1] ~= ARGV[2] or kept[2] ~= ARGV[3] then return { 0 } end
local position = math.max(tonumber(kept[3] or '0'), tonumber(ARGV[4]))
local owner = lease == 0 and '' or ARGV[2]
redis.call('HSET', KEYS[1], 'owner', owner, 'until', whole(now + lease), 'position', whole(position))
return { 1 }
