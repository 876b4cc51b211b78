--[[ Notes at the first place of a session that it is kept under another tag.
  KEYS[1]  session
  KEYS[2]  list of its tag
  ARGV[1]  now, us, for tests
  ARGV[2]  when the id was made, ms; 0 where it does not say
  ARGV[3]  longest life, ms
  ARGV[4]  how long an id is new, ms
  ARGV[5]  the other tag
  ARGV[6]  until when, ms
  ARGV[7]  the version that it must have; 0 for any
  Returns {ended} | {conflict} | {moved, tag}, which is another tag where somebody else was first ]]
--- @include "now"
--- @include "clock"
--- @include "session"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local made_at, late = tonumber(ARGV[2]), tonumber(ARGV[4])
local kind, found = look_at(KEYS[1], KEYS[2], made_at, tonumber(ARGV[3]), late, now)
if kind == 'moved' or kind == 'ended' then return { kind, found } end
if kind == 'live' and found.is_user then return { 'ended' } end
if kind == 'absent' and not is_new_at(made_at, late, now) then return { 'ended' } end
local expected = tonumber(ARGV[7])
if expected > 0 and (kind ~= 'live' or found.version ~= expected) then return { 'conflict' } end
local until_at = math.max(tonumber(ARGV[6]), late_until(made_at, late, now))
redis.call('SET', KEYS[1], 'm' .. struct.pack('>d', until_at) .. ARGV[5], 'PX', whole(math.max(1, until_at - now)))
return { 'moved', ARGV[5] }
