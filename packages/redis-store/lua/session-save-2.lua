--[[ Saves a session, unless it has ended.
  KEYS[1]   session
  KEYS[2]   list of its tag
  ARGV[1]   now, us, for tests
  ARGV[2]   when the id was made, ms; 0 where it does not say
  ARGV[3]   longest life, ms
  ARGV[4]   how long an id is new, ms
  ARGV[5]   create | upsert | update | adopt | adoptOver
  ARGV[6]   idle time, ms
  ARGV[7]   the version that it must have; 0 for any. With adopt and adoptOver: the one that the new one is to be above
  ARGV[8]   1: a session of the user that the tag stands for
  ARGV[9]   how many sessions a user has at most
  ARGV[10]  absolute end that it has already, ms; 0 for none
  ARGV[11]  data
  Returns {absent} | {ended} | {moved, tag} | {conflict} | {saved, version, end, absolute end, now, name that was ended for room, ...} ]]
--- @include "now"
--- @include "clock"
--- @include "session"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local made_at, absolute, late = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local mode, idle, expected = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local is_adoption = mode == 'adopt' or mode == 'adoptOver'
local kind, found = look_at(KEYS[1], KEYS[2], made_at, absolute, late, now)
if kind == 'moved' or kind == 'ended' then return { kind, found } end

local is_user, version, absolute_end = ARGV[8] == '1', now, nil
if kind == 'live' then
  if mode == 'create' then return { 'ended' } end
  if mode == 'adoptOver' then
    if found.version > expected then return { 'conflict' } end
  elseif mode ~= 'adopt' and expected > 0 and found.version ~= expected then
    return { 'conflict' }
  end
  is_user = is_user or found.is_user
  version = math.max(now, found.version + 1)
  absolute_end = found.absolute_end
else
  if mode == 'update' then return { 'absent' } end
  if not is_adoption and not is_new_at(made_at, late, now) then return { 'ended' } end
  absolute_end = math.min(made_at > 0 and made_at or now, now) + absolute
  local given = tonumber(ARGV[10])
  if given > 0 then absolute_end = math.min(absolute_end, given) end
  if absolute_end <= now then return { 'ended' } end
end

if mode == 'adopt' then version = math.max(version, expected + 1) end
-- Not above it by more: so a second one who adopts over the same version finds a later one here.
if mode == 'adoptOver' then version = expected + 1 end
local ends = math.min(now + idle, absolute_end)
local head = (is_user and 'u' or 'a') .. struct.pack('>dddd', version, absolute_end, ends, idle)
redis.call('SET', KEYS[1], head .. ARGV[11])
keep_record(KEYS[1], ends, made_at, late, now)
local reply = { 'saved', version, ends, absolute_end, now }
if not is_user then return reply end

local name = name_of(KEYS[1], KEYS[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now))
if not redis.call('ZSCORE', KEYS[2], name) then
  local surplus = redis.call('ZCARD', KEYS[2]) + 1 - tonumber(ARGV[9])
  if surplus > 0 then
    for _, other in ipairs(redis.call('ZRANGE', KEYS[2], 0, surplus - 1)) do reply[#reply + 1] = other end
    redis.call('ZREMRANGEBYRANK', KEYS[2], 0, surplus - 1)
  end
end
redis.call('ZADD', KEYS[2], whole(ends), name)
keep_list(KEYS[2], now)
return reply
