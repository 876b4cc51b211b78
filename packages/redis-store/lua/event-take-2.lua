--[[ Takes the turn to project a partition, or renews it.
  KEYS[1]  projection
  KEYS[2]  log of the partition
  ARGV[1]  now, us, for tests
  ARGV[2]  owner
  ARGV[3]  how long the turn lasts without a sign of life, ms
  Returns {0, how long it is somebody else's, ms} | {1, fence, position that was saved, mark of the event at it,
  1 when the log does not have what was saved, so that all begins anew | 0} ]]
--- @include "now"
--- @include "clock"
--- @include "events"
local at_us, lease = clock_us(ARGV[1]), tonumber(ARGV[3])
local now = math.floor(at_us / 1000)
local kept = redis.call('HMGET', KEYS[1], 'owner', 'until', 'fence', 'position', 'mark')
local owner, ends, fence = kept[1] or '', tonumber(kept[2] or '0'), tonumber(kept[3] or '0')
if owner ~= '' and owner ~= ARGV[2] and ends > now then
  -- Longer than a turn lasts: the clock was set back. The owner has that long, and no more.
  if ends - now > lease then
    ends = now + lease
    redis.call('HSET', KEYS[1], 'until', whole(ends))
  end
  return { 0, ends - now }
end
-- Above the last one, and not below the clock, so that a store that has lost the last one repeats none.
if owner ~= ARGV[2] then fence = math.max(fence + 1, at_us) end
local position, mark, is_rewound = tonumber(kept[4] or '0'), kept[5] or '', 0
if not is_continued(KEYS[2], position, mark) then position, mark, is_rewound = 0, '', 1 end
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'until', whole(now + lease), 'fence', whole(fence),
  'position', whole(position), 'mark', mark)
return { 1, whole(fence), whole(position), mark, is_rewound }
