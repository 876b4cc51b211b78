--[[ Takes the turn to project a partition, or renews it.
  KEYS[1]  projection
  ARGV[1]  now, us, for tests
  ARGV[2]  owner
  ARGV[3]  how long the turn lasts without a sign of life, ms
  Returns {0, how long it is somebody else's, ms} | {1, fence, position that was saved} ]]
--- @include "now"
--- @include "clock"
local now, lease = math.floor(clock_us(ARGV[1]) / 1000), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'owner', 'until', 'fence', 'position')
local owner, ends, fence = kept[1] or '', tonumber(kept[2] or '0'), tonumber(kept[3] or '0')
if owner ~= '' and owner ~= ARGV[2] and ends > now then
  -- Longer than a turn lasts: the clock was set back. The owner has that long, and no more.
  if ends - now > lease then
    ends = now + lease
    redis.call('HSET', KEYS[1], 'until', whole(ends))
  end
  return { 0, ends - now }
end
if owner ~= ARGV[2] then fence = fence + 1 end
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'until', whole(now + lease), 'fence', whole(fence))
return { 1, whole(fence), kept[4] or '0' }
