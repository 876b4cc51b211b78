--[[ Ends a session, and remembers that for as long as a late save could make it anew.
  KEYS[1]  session
  KEYS[2]  list of its tag
  ARGV[1]  now, us, for tests
  ARGV[2]  when the id was made, ms; 0 where it does not say
  ARGV[3]  longest life, ms
  ARGV[4]  how long an id is new, ms
  ARGV[5]  1: with its data
  Returns {absent} | {ended} | {moved, tag} | {live, version, end, absolute end, now, data}, as it was before ]]
--- @include "now"
--- @include "clock"
--- @include "session"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local made_at, late = tonumber(ARGV[2]), tonumber(ARGV[4])
local kind, found = look_at(KEYS[1], KEYS[2], made_at, tonumber(ARGV[3]), late, now)
if kind == 'moved' then return { kind, found } end
-- Of an id that no save could begin, nothing has to be remembered: strangers make as many of them as they like.
if kind == 'absent' and not is_new_at(made_at, late, now) then return { kind } end
local data = ''
if kind == 'live' and ARGV[5] == '1' then data = redis.call('GETRANGE', KEYS[1], HEAD_BYTES, -1) end
-- Always, and before the tombstone: it takes no memory, and a script that has written is let go on by a server that is full.
redis.call('ZREM', KEYS[2], name_of(KEYS[1], KEYS[2]))
bury(KEYS[1], made_at, late, now)
if kind ~= 'live' then return { kind, found } end
return { 'live', found.version, found.ends, found.absolute_end, now, data }
