--[[ Reads a session, and may note that it is used.
  KEYS[1]  session
  KEYS[2]  list of its tag
  ARGV[1]  now, us, for tests
  ARGV[2]  when the id was made, ms; 0 where it does not say
  ARGV[3]  longest life, ms
  ARGV[4]  how long an id is new, ms
  ARGV[5]  idle time from now on, ms; 0: this is not a use
  ARGV[6]  a use so soon after the last one that was noted is not noted, ms
  ARGV[7]  1: with its data
  Returns {absent} | {ended} | {moved, tag} | {live, version, end, absolute end, now, data} ]]
--- @include "now"
--- @include "clock"
--- @include "session"
-- A server that is full, or cannot save, still says what it has: then the session is read, and the use is not noted.
-- Other answers are errors of the call, above all that it is a replica: the client library has to see that.
local function takes_nothing_new(text)
  for _, word in ipairs({ 'OOM ', 'MISCONF ', 'NOREPLICAS ' }) do
    if string.find(text, word, 1, true) then return true end
  end
  return false
end

local now = math.floor(clock_us(ARGV[1]) / 1000)
local made_at, absolute, late = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local kind, found = look_at(KEYS[1], KEYS[2], made_at, absolute, late, now)
if kind ~= 'live' then return { kind, found } end

local idle, every = tonumber(ARGV[5]), tonumber(ARGV[6])
local ends = found.ends
if idle > 0 then
  local target = math.min(now + idle, found.absolute_end)
  ends = found.stored_end
  if found.is_set_back or target < ends or target - ends >= every then
    local noted = redis.pcall('SETRANGE', KEYS[1], END_AT, struct.pack('>dd', target, idle))
    if type(noted) ~= 'table' then
      ends = target
      keep_record(KEYS[1], ends, made_at, late, now)
      if found.is_user then
        redis.call('ZADD', KEYS[2], whole(ends), name_of(KEYS[1], KEYS[2]))
        keep_list(KEYS[2], now)
      end
    elseif takes_nothing_new(noted.err) then ends = found.ends
    else return noted end
  end
end
local data = ARGV[7] == '1' and redis.call('GETRANGE', KEYS[1], HEAD_BYTES, -1) or ''
return { 'live', found.version, ends, found.absolute_end, now, data }
