--[[ Saves how far a projection has come, if it is still the owner's turn, and renews the turn.
  KEYS[1]  projection
  KEYS[2]  log of the partition
  ARGV[1]  now, us, for tests
  ARGV[2]  owner
  ARGV[3]  fence
  ARGV[4]  position
  ARGV[5]  mark of the event at it
  ARGV[6]  how long the turn lasts without a sign of life, ms; 0: it ends with this
  Returns {saved | lost, it is somebody else's turn | rewound, the log does not have that event, or the projection is gone} ]]
--- @include "now"
--- @include "clock"
--- @include "events"
local now, lease = math.floor(clock_us(ARGV[1]) / 1000), tonumber(ARGV[6])
local kept = redis.call('HMGET', KEYS[1], 'owner', 'fence', 'position', 'mark')
-- It never ends by itself: with it, events may be gone.
if not kept[1] then return { 'rewound' } end
if kept[1] ~= ARGV[2] or kept[2] ~= ARGV[3] then return { 'lost' } end
-- With the same step: what is saved here fits this log, on whatever server both are read later.
local position, mark = tonumber(ARGV[4]), ARGV[5]
if not is_continued(KEYS[2], position, mark) then return { 'rewound' } end
if tonumber(kept[3] or '0') >= position then position, mark = tonumber(kept[3] or '0'), kept[4] or '' end
local owner = lease == 0 and '' or ARGV[2]
redis.call('HSET', KEYS[1], 'owner', owner, 'until', whole(now + lease), 'position', whole(position), 'mark', mark)
return { 'saved' }
