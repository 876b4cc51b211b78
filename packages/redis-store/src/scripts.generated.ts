/** Generated from lua/ by tools/generate-scripts.ts. Do not edit. */

// biome-ignore format: generated
export const SCRIPTS = {
  bumpTags: { name: 'bump-tags', keys: 1, lua: `--[[ Invalidates tags: mints one version for all of them, prunes what no entry can be older than.
  KEYS[1] tag clock
  ARGV[1] version the caller knows   ARGV[2] retention, ms   ARGV[3] channel   ARGV[4..] tags
  Returns {previous, version, floor} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- The next number of a history: above the last one, and not below the server's clock in microseconds, so that a history
-- that was lost and begun anew never repeats a number.
local function mint(last, us)
  local minted = math.max(last + 1, us)
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
-- The tag clock in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local RESERVED = 3
local TAG_CAP = 100000

-- Returns version, floor, and the longest retention any node has asked for.
local function open_tags(set, us)
  local head = redis.call('ZMSCORE', set, '!version', '!floor', '!retention')
  if head[1] then
    return -tonumber(head[1]), -tonumber(head[2] or head[1]), -tonumber(head[3] or '0')
  end
  -- A clock that begins anew invalidates everything born before: nobody knows what was invalidated until now.
  local first = mint(0, us)
  redis.call('ZADD', set, '-' .. whole(first), '!version', '-' .. whole(first), '!floor', '0', '!retention')
  return first, first, 0
end

local function publish_tags(channel, previous, version, floor, tags)
  redis.call('PUBLISH', channel,
    't' .. cmsgpack.pack({ whole(previous), whole(version), whole(floor), tags }))
end
-- A full server refuses a script's first write if that takes memory, but lets a script finish that has begun to write. An
-- invalidation must get through, so it begins with a write that takes none.
local function begin_even_when_full(set)
  redis.call('ZREM', set, '')
end
local set = KEYS[1]
local us = now_us()
begin_even_when_full(set)
local previous, floor, retention = open_tags(set, us)
local version = mint(math.max(previous, tonumber(ARGV[1])), us)
retention = math.max(retention, tonumber(ARGV[2]))

local score = whole(version)
local tags = {}
for i = 4, #ARGV do
  tags[i - 3] = ARGV[i]
  redis.call('ZADD', set, score, 't:' .. ARGV[i])
end

-- Raising the floor over what is pruned costs nothing when no entry lives that long, and is safe when one does.
local function prune(last)
  redis.call('ZREMRANGEBYSCORE', set, 1, whole(last))
  floor = math.max(floor, last)
end
local old = version - retention * 1000
local oldest = redis.call('ZRANGE', set, RESERVED, RESERVED, 'WITHSCORES')[2]
if oldest and tonumber(oldest) <= old then
  prune(tonumber(redis.call('ZREVRANGEBYSCORE', set, whole(old), 1, 'WITHSCORES', 'LIMIT', 0, 1)[2]))
end
local excess = redis.call('ZCARD', set) - RESERVED - TAG_CAP
if excess > 0 then
  local rank = RESERVED + excess - 1
  prune(tonumber(redis.call('ZRANGE', set, rank, rank, 'WITHSCORES')[2]))
end
redis.call('ZADD', set, '-' .. score, '!version', whole(-floor), '!floor', whole(-retention), '!retention')
publish_tags(ARGV[3], previous, version, floor, tags)
return { previous, version, floor }
` },
  changesSince: { name: 'changes-since', keys: 1, lua: `--[[ Lists the keys changed after a sequence number.
  KEYS[1] partition log
  ARGV[1] sequence number
  Returns {1, seq, key, ...} | {0, seq} when the log does not reach back, or this history does not contain that number ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- The next number of a history: above the last one, and not below the server's clock in microseconds, so that a history
-- that was lost and begun anew never repeats a number.
local function mint(last, us)
  local minted = math.max(last + 1, us)
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512
-- Trimmed so many at a time: trimming costs more than all the rest of a change.
local TRIM = 64

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local head = redis.call('ZMSCORE', log, '!seq', '!floor')
  if head[1] then return -tonumber(head[1]), -tonumber(head[2] or head[1]) end
  local first = mint(0, us)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first, first
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = mint(previous, us)
  local score = whole(seq)
  local members = { '-' .. score, '!seq' }
  for i = 1, #keys do
    members[2 * i + 1] = score
    members[2 * i + 2] = score .. ':' .. keys[i]
  end
  redis.call('ZADD', log, unpack(members))
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess + TRIM, 1 + excess + TRIM, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess + TRIM)
    redis.call('ZADD', log, '-' .. whole(tonumber(last[2])), '!floor')
  end
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
end
local log, since = KEYS[1], tonumber(ARGV[1])
local seq, floor = open_log(log, now_us())
if seq == since then return { 1, seq } end
-- A number between two others could come from a history that was lost: only one that was minted here proves itself.
local is_known = since == floor
  or (since > floor and redis.call('ZCOUNT', log, ARGV[1], ARGV[1]) > 0)
if not is_known then return { 0, seq } end
local reply = { 1, seq }
local found = redis.call('ZRANGEBYSCORE', log, '(' .. ARGV[1], '+inf', 'WITHSCORES')
for i = 1, #found, 2 do
  reply[#reply + 1] = string.sub(found[i], #whole(tonumber(found[i + 1])) + 2)
end
return reply
` },
  claim: { name: 'claim', keys: 1, lua: `--[[ Claims the right to load an entry.
  KEYS[1] entry
  ARGV[1] token   ARGV[2] lease, ms   ARGV[3] commit id seen, 0 for none   ARGV[4] token to overtake, 0 for none
  Returns {1, now} granted | {0, now, holder, ms left} held | {2, now, bytes} filled meanwhile ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function read_header(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  if type(head) ~= 'string' or #head < HEADER then return nil end
  local magic, flags, _, commit, _, created, fresh, _, lives, _, _, deadline, token = struct.unpack(LAYOUT, head)
  if magic ~= MAGIC_AND_FORMAT then return nil end
  return {
    flags = flags,
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

-- The bytes of an entry without a value.
local function empty_entry(flags, created, lives, deadline, token)
  return struct.pack(LAYOUT, MAGIC_AND_FORMAT, flags, 0, 0, 0, created, 0, 0, lives, 0, 0, deadline, token)
end

local function has(flags, flag)
  return bit.band(flags, flag) ~= 0
end

local function set_flags(key, flags)
  redis.call('SETRANGE', key, 2, string.char(flags))
end

local function set_lease(key, deadline, token)
  redis.call('SETRANGE', key, 48, struct.pack('>I6I6', deadline, token))
end

-- Makes sure the key lives at least this long; never shortens.
local function live_at_least(key, ms)
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- What is left of a settle window, ms; 0 when there is none.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  return math.max(head.created + head.lives - now, 0)
end

-- Removes an entry with its lease; leaves a marker where a settle window stands.
local function remove(key, window, now)
  if window > 0 then
    redis.call('SET', key, empty_entry(EMPTY + SETTLING, now, window, 0, 0), 'PX', whole(window))
  else
    redis.call('UNLINK', key)
  end
end
local key = KEYS[1]
local token, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
local seen, overtake = tonumber(ARGV[3]), tonumber(ARGV[4])
local now = math.floor(now_us() / 1000)

local head = read_header(key)
if not head then
  redis.call('SET', key, empty_entry(EMPTY, 0, 0, now + lease, token), 'PX', whole(lease + SLACK))
  return { 1, now }
end

local is_news = not has(head.flags, EMPTY) and not has(head.flags, STALE)
  and head.commit ~= seen and head.created + head.fresh > now
if is_news then return { 2, now, redis.call('GET', key) } end

local is_held = head.token ~= 0 and head.token ~= token and head.token ~= overtake and head.deadline > now
if is_held then
  if not has(head.flags, WAITED) then set_flags(key, head.flags + WAITED) end
  return { 0, now, head.token, head.deadline - now }
end

-- The waited flag stays: whoever waited for the last holder now waits for this one.
set_lease(key, now + lease, token)
live_at_least(key, lease + SLACK)
return { 1, now }
` },
  evict: { name: 'evict', keys: 'n', lua: `--[[ Evicts entries of one partition, and with them every lease on them.
  KEYS[1] partition log   KEYS[2..] entries
  ARGV[1] soft 0 | 1   ARGV[2] settle window, ms, 0 for none   ARGV[3] channel   ARGV[4] partition
  ARGV[5..] full keys, in the order of the entries
  Returns {now, previous, seq} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- The next number of a history: above the last one, and not below the server's clock in microseconds, so that a history
-- that was lost and begun anew never repeats a number.
local function mint(last, us)
  local minted = math.max(last + 1, us)
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function read_header(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  if type(head) ~= 'string' or #head < HEADER then return nil end
  local magic, flags, _, commit, _, created, fresh, _, lives, _, _, deadline, token = struct.unpack(LAYOUT, head)
  if magic ~= MAGIC_AND_FORMAT then return nil end
  return {
    flags = flags,
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

-- The bytes of an entry without a value.
local function empty_entry(flags, created, lives, deadline, token)
  return struct.pack(LAYOUT, MAGIC_AND_FORMAT, flags, 0, 0, 0, created, 0, 0, lives, 0, 0, deadline, token)
end

local function has(flags, flag)
  return bit.band(flags, flag) ~= 0
end

local function set_flags(key, flags)
  redis.call('SETRANGE', key, 2, string.char(flags))
end

local function set_lease(key, deadline, token)
  redis.call('SETRANGE', key, 48, struct.pack('>I6I6', deadline, token))
end

-- Makes sure the key lives at least this long; never shortens.
local function live_at_least(key, ms)
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- What is left of a settle window, ms; 0 when there is none.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  return math.max(head.created + head.lives - now, 0)
end

-- Removes an entry with its lease; leaves a marker where a settle window stands.
local function remove(key, window, now)
  if window > 0 then
    redis.call('SET', key, empty_entry(EMPTY + SETTLING, now, window, 0, 0), 'PX', whole(window))
  else
    redis.call('UNLINK', key)
  end
end
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512
-- Trimmed so many at a time: trimming costs more than all the rest of a change.
local TRIM = 64

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local head = redis.call('ZMSCORE', log, '!seq', '!floor')
  if head[1] then return -tonumber(head[1]), -tonumber(head[2] or head[1]) end
  local first = mint(0, us)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first, first
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = mint(previous, us)
  local score = whole(seq)
  local members = { '-' .. score, '!seq' }
  for i = 1, #keys do
    members[2 * i + 1] = score
    members[2 * i + 2] = score .. ':' .. keys[i]
  end
  redis.call('ZADD', log, unpack(members))
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess + TRIM, 1 + excess + TRIM, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess + TRIM)
    redis.call('ZADD', log, '-' .. whole(tonumber(last[2])), '!floor')
  end
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
end
-- A full server refuses a script's first write if that takes memory, but lets a script finish that has begun to write. An
-- invalidation must get through, so it begins with a write that takes none.
local function begin_even_when_full(set)
  redis.call('ZREM', set, '')
end
local log, is_soft, settle = KEYS[1], ARGV[1] == '1', tonumber(ARGV[2])
local us = now_us()
local now = math.floor(us / 1000)

local function soften(key)
  local head = read_header(key)
  if not head or has(head.flags, EMPTY) then return remove(key, window_of(head, now), now) end
  set_flags(key, bit.bor(bit.band(head.flags, bit.bnot(WAITED)), STALE))
  set_lease(key, 0, 0)
end

-- An earlier window that ends later still holds: its eviction's reason to distrust the source is not over.
local function harden(key)
  remove(key, math.max(settle, window_of(read_header(key), now)), now)
end

begin_even_when_full(log)
local names = {}
for i = 2, #KEYS do
  if is_soft then soften(KEYS[i]) else harden(KEYS[i]) end
  names[i - 1] = ARGV[i + 3]
end
-- The message wakes waiters too.
local previous, seq = record(log, ARGV[3], ARGV[4], names, us)
return { now, previous, seq }
` },
  fill: { name: 'fill', keys: 1, lua: `--[[ Stores a loaded entry while its loader still holds the lease.
  KEYS[1] entry
  ARGV[1] token   ARGV[2] bytes   ARGV[3] life, ms   ARGV[4] channel   ARGV[5] full key
  Returns {stored 0 | 1, now, life in ms} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function read_header(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  if type(head) ~= 'string' or #head < HEADER then return nil end
  local magic, flags, _, commit, _, created, fresh, _, lives, _, _, deadline, token = struct.unpack(LAYOUT, head)
  if magic ~= MAGIC_AND_FORMAT then return nil end
  return {
    flags = flags,
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

-- The bytes of an entry without a value.
local function empty_entry(flags, created, lives, deadline, token)
  return struct.pack(LAYOUT, MAGIC_AND_FORMAT, flags, 0, 0, 0, created, 0, 0, lives, 0, 0, deadline, token)
end

local function has(flags, flag)
  return bit.band(flags, flag) ~= 0
end

local function set_flags(key, flags)
  redis.call('SETRANGE', key, 2, string.char(flags))
end

local function set_lease(key, deadline, token)
  redis.call('SETRANGE', key, 48, struct.pack('>I6I6', deadline, token))
end

-- Makes sure the key lives at least this long; never shortens.
local function live_at_least(key, ms)
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- What is left of a settle window, ms; 0 when there is none.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  return math.max(head.created + head.lives - now, 0)
end

-- Removes an entry with its lease; leaves a marker where a settle window stands.
local function remove(key, window, now)
  if window > 0 then
    redis.call('SET', key, empty_entry(EMPTY + SETTLING, now, window, 0, 0), 'PX', whole(window))
  else
    redis.call('UNLINK', key)
  end
end
local function wake(channel, key)
  redis.call('PUBLISH', channel, 'w' .. cmsgpack.pack({ key }))
end
local key, bytes, life = KEYS[1], ARGV[2], tonumber(ARGV[3])
local now = math.floor(now_us() / 1000)
local head = read_header(key)
-- A lease past its deadline still counts: its token is there, so nobody has taken it over.
if not head or head.token ~= tonumber(ARGV[1]) then return { 0, whole(now), '0' } end

local window = window_of(head, now)
if window > 0 then life = math.min(life, window) end
redis.call('SET', key, bytes, 'PX', whole(life))
redis.call('SETRANGE', key, 18, struct.pack('>I6', now))
if window > 0 then
  -- What is read in a settle window may be the old value: nobody may keep it longer than the window. The flag stays, so
  -- that a refresh of this entry within the window is limited by it too: created-at plus lives-for is still its end.
  local fresh, stale, lives = struct.unpack('>I5I5I5', bytes, 25)
  lives = math.min(lives, life)
  redis.call('SETRANGE', key, 24, struct.pack('>I5I5I5', math.min(fresh, life), math.min(stale, life), lives))
  if lives == window then set_flags(key, bit.bor(string.byte(bytes, 3), SETTLING)) end
end
if has(head.flags, WAITED) then wake(ARGV[4], ARGV[5]) end
return { 1, now, life }
` },
  openLog: { name: 'open-log', keys: 1, lua: `--[[ Creates a partition's log if it is absent.
  KEYS[1] partition log
  Returns seq ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- The next number of a history: above the last one, and not below the server's clock in microseconds, so that a history
-- that was lost and begun anew never repeats a number.
local function mint(last, us)
  local minted = math.max(last + 1, us)
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512
-- Trimmed so many at a time: trimming costs more than all the rest of a change.
local TRIM = 64

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local head = redis.call('ZMSCORE', log, '!seq', '!floor')
  if head[1] then return -tonumber(head[1]), -tonumber(head[2] or head[1]) end
  local first = mint(0, us)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first, first
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = mint(previous, us)
  local score = whole(seq)
  local members = { '-' .. score, '!seq' }
  for i = 1, #keys do
    members[2 * i + 1] = score
    members[2 * i + 2] = score .. ':' .. keys[i]
  end
  redis.call('ZADD', log, unpack(members))
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess + TRIM, 1 + excess + TRIM, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess + TRIM)
    redis.call('ZADD', log, '-' .. whole(tonumber(last[2])), '!floor')
  end
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
end
return (open_log(KEYS[1], now_us()))
` },
  openTags: { name: 'open-tags', keys: 1, lua: `--[[ Creates the tag clock if it is absent.
  KEYS[1] tag clock
  Returns {version, floor} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- The next number of a history: above the last one, and not below the server's clock in microseconds, so that a history
-- that was lost and begun anew never repeats a number.
local function mint(last, us)
  local minted = math.max(last + 1, us)
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
-- The tag clock in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local RESERVED = 3
local TAG_CAP = 100000

-- Returns version, floor, and the longest retention any node has asked for.
local function open_tags(set, us)
  local head = redis.call('ZMSCORE', set, '!version', '!floor', '!retention')
  if head[1] then
    return -tonumber(head[1]), -tonumber(head[2] or head[1]), -tonumber(head[3] or '0')
  end
  -- A clock that begins anew invalidates everything born before: nobody knows what was invalidated until now.
  local first = mint(0, us)
  redis.call('ZADD', set, '-' .. whole(first), '!version', '-' .. whole(first), '!floor', '0', '!retention')
  return first, first, 0
end

local function publish_tags(channel, previous, version, floor, tags)
  redis.call('PUBLISH', channel,
    't' .. cmsgpack.pack({ whole(previous), whole(version), whole(floor), tags }))
end
local version, floor = open_tags(KEYS[1], now_us())
return { version, floor }
` },
  put: { name: 'put', keys: 2, lua: `--[[ Replaces an entry; evicts instead when the key was changed after the writer looked.
  KEYS[1] entry   KEYS[2] partition log
  ARGV[1] bytes   ARGV[2] life, ms   ARGV[3] since, 0 to write in any case
  ARGV[4] channel   ARGV[5] partition   ARGV[6] full key
  Returns {stored 0 | 1, now, previous, seq} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- The next number of a history: above the last one, and not below the server's clock in microseconds, so that a history
-- that was lost and begun anew never repeats a number.
local function mint(last, us)
  local minted = math.max(last + 1, us)
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function read_header(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  if type(head) ~= 'string' or #head < HEADER then return nil end
  local magic, flags, _, commit, _, created, fresh, _, lives, _, _, deadline, token = struct.unpack(LAYOUT, head)
  if magic ~= MAGIC_AND_FORMAT then return nil end
  return {
    flags = flags,
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

-- The bytes of an entry without a value.
local function empty_entry(flags, created, lives, deadline, token)
  return struct.pack(LAYOUT, MAGIC_AND_FORMAT, flags, 0, 0, 0, created, 0, 0, lives, 0, 0, deadline, token)
end

local function has(flags, flag)
  return bit.band(flags, flag) ~= 0
end

local function set_flags(key, flags)
  redis.call('SETRANGE', key, 2, string.char(flags))
end

local function set_lease(key, deadline, token)
  redis.call('SETRANGE', key, 48, struct.pack('>I6I6', deadline, token))
end

-- Makes sure the key lives at least this long; never shortens.
local function live_at_least(key, ms)
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- What is left of a settle window, ms; 0 when there is none.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  return math.max(head.created + head.lives - now, 0)
end

-- Removes an entry with its lease; leaves a marker where a settle window stands.
local function remove(key, window, now)
  if window > 0 then
    redis.call('SET', key, empty_entry(EMPTY + SETTLING, now, window, 0, 0), 'PX', whole(window))
  else
    redis.call('UNLINK', key)
  end
end
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512
-- Trimmed so many at a time: trimming costs more than all the rest of a change.
local TRIM = 64

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local head = redis.call('ZMSCORE', log, '!seq', '!floor')
  if head[1] then return -tonumber(head[1]), -tonumber(head[2] or head[1]) end
  local first = mint(0, us)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first, first
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = mint(previous, us)
  local score = whole(seq)
  local members = { '-' .. score, '!seq' }
  for i = 1, #keys do
    members[2 * i + 1] = score
    members[2 * i + 2] = score .. ':' .. keys[i]
  end
  redis.call('ZADD', log, unpack(members))
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess + TRIM, 1 + excess + TRIM, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess + TRIM)
    redis.call('ZADD', log, '-' .. whole(tonumber(last[2])), '!floor')
  end
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
end
local key, log = KEYS[1], KEYS[2]
local since, name = tonumber(ARGV[3]), ARGV[6]
local us = now_us()
local now = math.floor(us / 1000)

local function may_have_changed()
  if since == 0 then return false end
  local _, floor = open_log(log, us)
  if since < floor then return true end
  local later = redis.call('ZRANGEBYSCORE', log, '(' .. whole(since), '+inf', 'WITHSCORES')
  for i = 1, #later, 2 do
    if later[i] == whole(tonumber(later[i + 1])) .. ':' .. name then return true end
  end
  return false
end

local stored = 1
if may_have_changed() then
  remove(key, window_of(read_header(key), now), now)
  stored = 0
else
  redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
  redis.call('SETRANGE', key, 18, struct.pack('>I6', now))
end
-- The message wakes waiters too.
local previous, seq = record(log, ARGV[4], ARGV[5], { name }, us)
return { stored, now, previous, seq }
` },
  release: { name: 'release', keys: 1, lua: `--[[ Gives a lease up without a value.
  KEYS[1] entry
  ARGV[1] token   ARGV[2] channel   ARGV[3] full key
  Returns 1 released | 0 was not held ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function read_header(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  if type(head) ~= 'string' or #head < HEADER then return nil end
  local magic, flags, _, commit, _, created, fresh, _, lives, _, _, deadline, token = struct.unpack(LAYOUT, head)
  if magic ~= MAGIC_AND_FORMAT then return nil end
  return {
    flags = flags,
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

-- The bytes of an entry without a value.
local function empty_entry(flags, created, lives, deadline, token)
  return struct.pack(LAYOUT, MAGIC_AND_FORMAT, flags, 0, 0, 0, created, 0, 0, lives, 0, 0, deadline, token)
end

local function has(flags, flag)
  return bit.band(flags, flag) ~= 0
end

local function set_flags(key, flags)
  redis.call('SETRANGE', key, 2, string.char(flags))
end

local function set_lease(key, deadline, token)
  redis.call('SETRANGE', key, 48, struct.pack('>I6I6', deadline, token))
end

-- Makes sure the key lives at least this long; never shortens.
local function live_at_least(key, ms)
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- What is left of a settle window, ms; 0 when there is none.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  return math.max(head.created + head.lives - now, 0)
end

-- Removes an entry with its lease; leaves a marker where a settle window stands.
local function remove(key, window, now)
  if window > 0 then
    redis.call('SET', key, empty_entry(EMPTY + SETTLING, now, window, 0, 0), 'PX', whole(window))
  else
    redis.call('UNLINK', key)
  end
end
local function wake(channel, key)
  redis.call('PUBLISH', channel, 'w' .. cmsgpack.pack({ key }))
end
local key = KEYS[1]
local head = read_header(key)
if not head or head.token ~= tonumber(ARGV[1]) then return 0 end
if has(head.flags, EMPTY) and not has(head.flags, SETTLING) then
  redis.call('UNLINK', key)
else
  set_flags(key, bit.band(head.flags, bit.bnot(WAITED)))
  set_lease(key, 0, 0)
end
if has(head.flags, WAITED) then wake(ARGV[2], ARGV[3]) end
return 1
` },
  renew: { name: 'renew', keys: 1, lua: `--[[ Extends a lease that is still held.
  KEYS[1] entry
  ARGV[1] token   ARGV[2] lease, ms
  Returns 1 extended | 0 lost ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function read_header(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  if type(head) ~= 'string' or #head < HEADER then return nil end
  local magic, flags, _, commit, _, created, fresh, _, lives, _, _, deadline, token = struct.unpack(LAYOUT, head)
  if magic ~= MAGIC_AND_FORMAT then return nil end
  return {
    flags = flags,
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

-- The bytes of an entry without a value.
local function empty_entry(flags, created, lives, deadline, token)
  return struct.pack(LAYOUT, MAGIC_AND_FORMAT, flags, 0, 0, 0, created, 0, 0, lives, 0, 0, deadline, token)
end

local function has(flags, flag)
  return bit.band(flags, flag) ~= 0
end

local function set_flags(key, flags)
  redis.call('SETRANGE', key, 2, string.char(flags))
end

local function set_lease(key, deadline, token)
  redis.call('SETRANGE', key, 48, struct.pack('>I6I6', deadline, token))
end

-- Makes sure the key lives at least this long; never shortens.
local function live_at_least(key, ms)
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- What is left of a settle window, ms; 0 when there is none.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  return math.max(head.created + head.lives - now, 0)
end

-- Removes an entry with its lease; leaves a marker where a settle window stands.
local function remove(key, window, now)
  if window > 0 then
    redis.call('SET', key, empty_entry(EMPTY + SETTLING, now, window, 0, 0), 'PX', whole(window))
  else
    redis.call('UNLINK', key)
  end
end
local key, lease = KEYS[1], tonumber(ARGV[2])
local head = read_header(key)
if not head or head.token ~= tonumber(ARGV[1]) then return 0 end
set_lease(key, math.floor(now_us() / 1000) + lease, head.token)
live_at_least(key, lease + SLACK)
return 1
` },
  restoreTags: { name: 'restore-tags', keys: 1, lua: `--[[ Puts back tag versions that the store lost: the higher of both versions wins, for each tag and for the clock.
  KEYS[1] tag clock
  ARGV[1] clock   ARGV[2] channel   ARGV[3..] tag, version, ...
  Returns number of tags raised ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- The next number of a history: above the last one, and not below the server's clock in microseconds, so that a history
-- that was lost and begun anew never repeats a number.
local function mint(last, us)
  local minted = math.max(last + 1, us)
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
-- The tag clock in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local RESERVED = 3
local TAG_CAP = 100000

-- Returns version, floor, and the longest retention any node has asked for.
local function open_tags(set, us)
  local head = redis.call('ZMSCORE', set, '!version', '!floor', '!retention')
  if head[1] then
    return -tonumber(head[1]), -tonumber(head[2] or head[1]), -tonumber(head[3] or '0')
  end
  -- A clock that begins anew invalidates everything born before: nobody knows what was invalidated until now.
  local first = mint(0, us)
  redis.call('ZADD', set, '-' .. whole(first), '!version', '-' .. whole(first), '!floor', '0', '!retention')
  return first, first, 0
end

local function publish_tags(channel, previous, version, floor, tags)
  redis.call('PUBLISH', channel,
    't' .. cmsgpack.pack({ whole(previous), whole(version), whole(floor), tags }))
end
-- A full server refuses a script's first write if that takes memory, but lets a script finish that has begun to write. An
-- invalidation must get through, so it begins with a write that takes none.
local function begin_even_when_full(set)
  redis.call('ZREM', set, '')
end
local set = KEYS[1]
begin_even_when_full(set)
local previous, floor = open_tags(set, now_us())
local version = math.max(previous, tonumber(ARGV[1]))
local raised = {}
for i = 3, #ARGV, 2 do
  local known = redis.call('ZSCORE', set, 't:' .. ARGV[i])
  if not known or tonumber(known) < tonumber(ARGV[i + 1]) then
    redis.call('ZADD', set, ARGV[i + 1], 't:' .. ARGV[i])
    raised[#raised + 1] = ARGV[i]
  end
end
if #raised == 0 and version == previous then return 0 end
redis.call('ZADD', set, '-' .. whole(version), '!version')
publish_tags(ARGV[2], previous, version, floor, raised)
return #raised
` },
  tagsSince: { name: 'tags-since', keys: 1, lua: `--[[ Lists the tags invalidated after a version.
  KEYS[1] tag clock
  ARGV[1] version
  Returns {version, floor, tag, its version, ...} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- The next number of a history: above the last one, and not below the server's clock in microseconds, so that a history
-- that was lost and begun anew never repeats a number.
local function mint(last, us)
  local minted = math.max(last + 1, us)
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
-- The tag clock in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local RESERVED = 3
local TAG_CAP = 100000

-- Returns version, floor, and the longest retention any node has asked for.
local function open_tags(set, us)
  local head = redis.call('ZMSCORE', set, '!version', '!floor', '!retention')
  if head[1] then
    return -tonumber(head[1]), -tonumber(head[2] or head[1]), -tonumber(head[3] or '0')
  end
  -- A clock that begins anew invalidates everything born before: nobody knows what was invalidated until now.
  local first = mint(0, us)
  redis.call('ZADD', set, '-' .. whole(first), '!version', '-' .. whole(first), '!floor', '0', '!retention')
  return first, first, 0
end

local function publish_tags(channel, previous, version, floor, tags)
  redis.call('PUBLISH', channel,
    't' .. cmsgpack.pack({ whole(previous), whole(version), whole(floor), tags }))
end
local set = KEYS[1]
local version, floor = open_tags(set, now_us())
local reply = { version, floor }
local from = math.max(tonumber(ARGV[1]), 0)
local found = redis.call('ZRANGEBYSCORE', set, '(' .. whole(from), '+inf', 'WITHSCORES')
for i = 1, #found, 2 do
  reply[#reply + 1] = string.sub(found[i], 3)
  reply[#reply + 1] = tonumber(found[i + 1])
end
return reply
` },
} as const
