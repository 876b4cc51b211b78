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
  fencedSet: { name: 'fenced-set', keys: 2, lua: `--[[ Writes a value unless a newer fence has written.
  KEYS[1] value   KEYS[2] fence of the value
  ARGV[1] value   ARGV[2] fence   ARGV[3] life, ms; 0 for ever   ARGV[4] how long the fence outlives the value, ms
  Returns 1 written | 0 refused ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
local fence = tonumber(ARGV[2])
if tonumber(redis.call('GET', KEYS[2]) or '0') > fence then return 0 end
local life = tonumber(ARGV[3])
if life > 0 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', whole(life))
  -- A late writer must be refused also when the value has gone.
  redis.call('SET', KEYS[2], whole(fence), 'PX', whole(life + tonumber(ARGV[4])))
else
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('SET', KEYS[2], whole(fence))
end
return 1
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
  limitDecide: { name: 'limit-decide', keys: 'n', lua: `--[[ Decides calls under one rule, one after the other: all policies admit a call, or none is changed by it.
  KEYS[1..] for each call: the states of the policies, then the block if the rule has one
  ARGV[1] now, us, for tests   ARGV[2] the rule, JSON   ARGV[3..] for each call: its cost, and '?' to look only, else its permit
  Returns {now, then for each call: 1 admitted | 0 refused | -1 too dear, us to wait, refusing policy or -1,
  and for each policy what is left, us until all of it is back} | {now, -2} when the calendar's edges do not reach ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
-- What the states of all algorithms have in common. A state goes when it says no more than an absent one would.
local function expire_in(us)
  -- Under a test's clock, real time must not take a state away. CLOCK is the test's clock, empty in production.
  local ms = math.max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

local function load_numbers(key)
  local bytes = redis.call('GET', key)
  return bytes and cmsgpack.unpack(bytes)
end

local function save_numbers(key, numbers, us)
  redis.call('SET', key, cmsgpack.pack(numbers), 'PX', expire_in(us))
end
-- Never more than the limit in any window: the stamps of the latest admissions in a list, oldest first.
--
-- A call of cost c fits at the time when the (limit - c + 1)-th newest stamp has left the window: one look, however long
-- the list is. Nothing is admitted before what was admitted last, so no later window holds more than the one that ends
-- with the newest stamp.
local exact = {}
local ENTRIES_PER_PUSH = 1000

-- A stamp is written as a number, and as "stamp+wait" when it was reserved ahead. Returns the stamp and when it was written.
local function stamp_of(entry)
  local stamp = tonumber(entry)
  if stamp then return stamp, stamp end
  local at, wait = string.match(entry, '^(%d+)%+(%d+)$')
  return tonumber(at), tonumber(at) - tonumber(wait)
end

local function entry_of(at, now)
  if at <= now then return whole(at) end
  return whole(at) .. '+' .. whole(at - now)
end

local function push(key, entries)
  local length = 0
  for i = 1, #entries, ENTRIES_PER_PUSH do
    length = redis.call('RPUSH', key, unpack(entries, i, math.min(#entries, i + ENTRIES_PER_PUSH - 1)))
  end
  return length
end

-- The server's clock was set back: everything happened at least that much earlier on the new scale.
local function move_stamps(key, policy, now, by)
  local entries = redis.call('LRANGE', key, 0, -1)
  local newest = 0
  for i = 1, #entries do
    local at, written = stamp_of(entries[i])
    newest = math.max(0, at - by)
    entries[i] = entry_of(newest, math.max(0, written - by))
  end
  redis.call('DEL', key)
  push(key, entries)
  redis.call('PEXPIRE', key, expire_in(newest + policy.window - now))
  return newest
end

-- How many of the oldest stamps have left the window that ends now: near the front in the usual case, so galloping.
local function count_dead(key, length, edge)
  local function is_dead(i)
    return i < length and (stamp_of(redis.call('LINDEX', key, i))) <= edge
  end
  if not is_dead(0) then return 0 end
  local low, step = 0, 1
  while is_dead(low + step) do
    low = low + step
    step = step * 2
  end
  local high = math.min(low + step, length)
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if is_dead(middle) then low = middle else high = middle end
  end
  return high
end

exact.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now }
  local last = redis.call('LINDEX', key, -1)
  if not last then return state end
  local newest, written = stamp_of(last)
  if written > now then newest = move_stamps(key, policy, now, written - now) end
  state.newest = newest
  return state
end

exact.capacity = function(policy) return policy.limit end

exact.earliest = function(state, cost)
  if not state.newest then return state.now end
  local at = math.max(state.now, state.newest)
  local entry = redis.call('LINDEX', state.key, cost - state.policy.limit - 1)
  if entry then at = math.max(at, stamp_of(entry) + state.policy.window) end
  return at
end

exact.take = function(state, cost, at)
  local entry = entry_of(at, state.now)
  local entries = {}
  for i = 1, cost do entries[i] = entry end
  local length = push(state.key, entries)
  -- Only what has left the window that ends now: a reservation may be taken back, and earlier windows count again.
  local dead = count_dead(state.key, length, state.now - state.policy.window)
  if dead > 0 then redis.call('LTRIM', state.key, dead, -1) end
  redis.call('PEXPIRE', state.key, expire_in(at + state.policy.window - state.now))
  state.newest, state.used = at, length - dead
end

exact.penalize = function(state, cost)
  local limit = state.policy.limit
  exact.take(state, cost, math.max(state.now, state.newest or 0))
  if state.used > limit then
    redis.call('LTRIM', state.key, -limit, -1)
    state.used = limit
  end
end

exact.standing = function(state)
  local limit, window = state.policy.limit, state.policy.window
  if not state.newest then return limit, 0 end
  if not state.used then
    local length = redis.call('LLEN', state.key)
    state.used = length - count_dead(state.key, length, state.now - window)
  end
  return math.max(0, limit - state.used), math.max(0, state.newest + window - state.now)
end

exact.refund = function(state, cost, at, now_then)
  if not state.newest or at <= state.now - state.policy.window then return false end
  return redis.call('LREM', state.key, -cost, entry_of(at, now_then)) > 0
end
-- Never more than the limit in any window: counts by slice of time, newest first.
--
-- A window of B slices touches at most B + 1 of them; all of those are counted, so what is let in never exceeds the limit,
-- and at least limit * B / (B + 1) get in. State: slice width, slices a window, when written, newest slice, its count, and
-- the counts of the slices before it.
local window = {}

local function count_of(state, slice)
  return state.counts[state.top - slice + 1] or 0
end

-- The counts of the slices from \`top\` down to the oldest that matters now.
local function counts_from(state, top)
  local counts = {}
  local oldest = math.floor(state.now / state.policy.slice) - state.policy.slices
  for slice = top, oldest, -1 do
    counts[#counts + 1] = state.top and count_of(state, slice) or 0
  end
  return counts
end

local function save_window(state)
  local slice, slices = state.policy.slice, state.policy.slices
  local numbers = { slice, slices, state.now, state.top, unpack(state.counts) }
  while #numbers > 5 and numbers[#numbers] == 0 do numbers[#numbers] = nil end
  save_numbers(state.key, numbers, (state.top + slices + 1) * slice - state.now)
end

-- Slices of another width cannot be told apart any more: all that still counts is taken to be in one slice, the latest it
-- can have been in.
local function in_one_slice(state, slice, slices)
  local current = math.floor(state.now / slice)
  local sum = 0
  for i = 1, #state.counts do
    if state.top - i + 1 >= current - slices then sum = sum + state.counts[i] end
  end
  local latest = state.now
  if state.top > current then latest = (state.top + 1) * slice - 1 end
  state.top, state.counts = nil, {}
  if sum > 0 then state.top, state.counts = math.floor(latest / state.policy.slice), { sum } end
end

window.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now, counts = {} }
  local numbers = load_numbers(key)
  if not numbers then return state end
  local slice, slices, written = numbers[1], numbers[2], numbers[3]
  state.top = numbers[4]
  for i = 5, #numbers do state.counts[i - 4] = numbers[i] end
  -- The server's clock was set back; see exact.
  if written > now then
    state.top = state.top - math.floor((written - now) / slice)
    state.moved = true
  end
  if slice ~= policy.slice then in_one_slice(state, slice, slices) end
  if state.moved and state.top then save_window(state) end
  return state
end

window.capacity = function(policy) return policy.limit end

window.earliest = function(state, cost)
  local slice, slices, limit = state.policy.slice, state.policy.slices, state.policy.limit
  if not state.top then return state.now end
  local at = math.max(math.floor(state.now / slice), state.top)
  local sum = 0
  for i = at - slices, state.top do sum = sum + count_of(state, i) end
  -- Once all have left the sum is 0, and the cost is no more than the limit.
  while sum + cost > limit do
    sum = sum - count_of(state, at - slices)
    at = at + 1
  end
  return math.max(state.now, at * slice)
end

window.take = function(state, cost, at)
  local slice = math.floor(at / state.policy.slice)
  state.counts = counts_from(state, slice)
  state.top = slice
  state.counts[1] = state.counts[1] + cost
  save_window(state)
end

window.penalize = function(state, cost)
  local slice = math.max(math.floor(state.now / state.policy.slice), state.top or 0)
  state.counts = counts_from(state, slice)
  state.top = slice
  state.counts[1] = math.min(state.policy.limit, state.counts[1] + cost)
  save_window(state)
end

window.standing = function(state)
  local slice, slices, limit = state.policy.slice, state.policy.slices, state.policy.limit
  if not state.top then return limit, 0 end
  local used = 0
  local oldest = math.floor(state.now / slice) - slices
  for i = oldest, state.top do used = used + count_of(state, i) end
  return math.max(0, limit - used), math.max(0, (state.top + slices + 1) * slice - state.now)
end

window.refund = function(state, cost, at)
  local slice = math.floor(at / state.policy.slice)
  local oldest = math.floor(state.now / state.policy.slice) - state.policy.slices
  if not state.top or slice < oldest or slice > state.top or count_of(state, slice) < cost then return false end
  local index = state.top - slice + 1
  state.counts[index] = state.counts[index] - cost
  while state.counts[1] == 0 do
    table.remove(state.counts, 1)
    state.top = state.top - 1
  end
  if #state.counts == 0 then redis.call('UNLINK', state.key) else save_window(state) end
  return true
end
-- A bucket of \`burst\` permits that gets one back every interval (GCRA): one number, the time when the bucket is full again.
--
-- State: that time, when written, and the time and cost of the latest admission, which alone can be taken back.
local smooth = {}

smooth.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now, full = 0, last = 0, last_cost = 0 }
  local numbers = load_numbers(key)
  if not numbers then return state end
  -- The server's clock was set back; see exact.
  local by = math.max(0, numbers[2] - now)
  state.full, state.last, state.last_cost = numbers[1] - by, numbers[3] - by, numbers[4]
  if by > 0 then smooth.save(state) end
  return state
end

smooth.save = function(state)
  local numbers = { state.full, state.now, state.last, state.last_cost }
  save_numbers(state.key, numbers, state.full - state.now)
end

smooth.capacity = function(policy) return policy.burst end

smooth.earliest = function(state, cost)
  return math.max(state.now, state.full + (cost - state.policy.burst) * state.policy.interval)
end

smooth.take = function(state, cost, at)
  state.full = math.max(state.full, at) + cost * state.policy.interval
  state.last, state.last_cost = at, cost
  smooth.save(state)
end

-- The bucket is emptied, and not more: else who keeps trying would stay out for longer than a full refill.
smooth.penalize = function(state, cost)
  local interval, now = state.policy.interval, state.now
  local emptied = now + state.policy.burst * interval
  state.full = math.max(state.full, math.min(math.max(state.full, now) + cost * interval, emptied))
  state.last = 0
  smooth.save(state)
end

smooth.standing = function(state)
  local missing = math.max(0, state.full - state.now)
  local left = math.floor(state.policy.burst - missing / state.policy.interval)
  return math.max(0, left), missing
end

-- After a later admission nobody can say what of the debt is whose.
smooth.refund = function(state, cost, at)
  if state.full <= state.now or state.last ~= at or state.last_cost ~= cost then return false end
  state.full, state.last = state.full - cost * state.policy.interval, 0
  if state.full <= state.now then redis.call('UNLINK', state.key) else smooth.save(state) end
  return true
end
-- So many per period. State: when the period begins, how much was admitted in it, when written.
--
-- A period of \`fixed\` begins with the first admission after the last one; those of \`calendar\` begin at the edges that came
-- with the rule, because Redis knows no time zones. A reservation opens the next period ahead of time.
local fixed = {}

-- The edge at or before a time; the first one for what is before all.
local function edge_before(edges, at)
  local found = edges[1]
  for i = 1, #edges do
    if edges[i] <= at then found = edges[i] end
  end
  return found
end

local function end_of(policy, start)
  if not policy.edges then return start + policy.window end
  for i = 1, #policy.edges do
    if policy.edges[i] > start then return policy.edges[i] end
  end
  -- Beyond what came with the rule: no reservation reaches that far.
  return start + policy.edges[#policy.edges] - policy.edges[#policy.edges - 1]
end

local function save_period(state)
  save_numbers(state.key, { state.start, state.count, state.now }, end_of(state.policy, state.start) - state.now)
end

fixed.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now }
  local numbers = load_numbers(key)
  if not numbers then return state end
  -- The server's clock was set back; see exact.
  local by = math.max(0, numbers[3] - now)
  local start = numbers[1] - by
  if policy.edges then start = edge_before(policy.edges, start) end
  if end_of(policy, start) <= now then return state end
  state.start, state.count = start, numbers[2]
  if by > 0 then save_period(state) end
  return state
end

fixed.capacity = function(policy) return policy.limit end

fixed.earliest = function(state, cost)
  if not state.start then return state.now end
  if state.count + cost <= state.policy.limit then return math.max(state.now, state.start) end
  return end_of(state.policy, state.start)
end

fixed.take = function(state, cost, at)
  if state.start and at < end_of(state.policy, state.start) then
    state.count = state.count + cost
  else
    state.start, state.count = at, cost
    if state.policy.edges then state.start = edge_before(state.policy.edges, at) end
  end
  save_period(state)
end

fixed.penalize = function(state, cost)
  fixed.take(state, cost, math.max(state.now, state.start or 0))
  if state.count > state.policy.limit then
    state.count = state.policy.limit
    save_period(state)
  end
end

fixed.standing = function(state)
  local limit = state.policy.limit
  if not state.start then return limit, 0 end
  local left = math.max(0, limit - state.count)
  -- The next period is open already, so this one is used up.
  if state.start > state.now then left = 0 end
  return left, end_of(state.policy, state.start) - state.now
end

fixed.refund = function(state, cost, at)
  local is_this = state.start and at >= state.start and at < end_of(state.policy, state.start)
  if not is_this or state.count < cost then return false end
  state.count = state.count - cost
  save_period(state)
  return true
end

local calendar = fixed
-- So many at the same time: permits in a sorted set by when their lease ends. '!written' has a score below 0.
local concurrency = {}

-- The server's clock was set back; see exact.
local function move_leases(key, by)
  local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for i = 1, #members, 2 do
    local ends = tonumber(members[i + 1])
    if ends > 0 then redis.call('ZADD', key, whole(math.max(1, ends - by)), members[i]) end
  end
end

local function last_end(state)
  local last = redis.call('ZRANGE', state.key, -1, -1, 'WITHSCORES')
  return last[2] and tonumber(last[2]) or 0
end

local function save_leases(state)
  redis.call('ZADD', state.key, whole(-state.now), '!written')
  redis.call('PEXPIRE', state.key, expire_in(last_end(state) - state.now))
end

concurrency.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now }
  local written = redis.call('ZSCORE', key, '!written')
  local by = written and -tonumber(written) - now or 0
  if by > 0 then
    move_leases(key, by)
    save_leases(state)
  end
  state.live = written and redis.call('ZCOUNT', key, '(' .. whole(now), '+inf') or 0
  return state
end

concurrency.capacity = function(policy) return policy.limit end

-- When enough leases will have ended, if nobody gives back or renews.
concurrency.earliest = function(state, cost)
  local excess = state.live + cost - state.policy.limit
  if excess <= 0 then return state.now end
  local found = redis.call('ZRANGEBYSCORE', state.key, '(' .. whole(state.now), '+inf',
    'WITHSCORES', 'LIMIT', excess - 1, 1)
  return tonumber(found[2])
end

concurrency.take = function(state, cost, at, permit)
  redis.call('ZREMRANGEBYSCORE', state.key, '(0', whole(state.now))
  for i = 1, cost do
    redis.call('ZADD', state.key, whole(at + state.policy.lease), permit .. ':' .. i)
  end
  state.live = state.live + cost
  save_leases(state)
end

concurrency.penalize = function() end

concurrency.standing = function(state)
  local reset = 0
  if state.live > 0 then reset = last_end(state) - state.now end
  return math.max(0, state.policy.limit - state.live), reset
end

-- False when one of the permits has ended.
local function is_held(state, cost, permit)
  for i = 1, cost do
    local ends = redis.call('ZSCORE', state.key, permit .. ':' .. i)
    if not ends or tonumber(ends) <= state.now then return false end
  end
  return true
end

concurrency.renew = function(state, cost, permit)
  if not is_held(state, cost, permit) then return false end
  for i = 1, cost do
    redis.call('ZADD', state.key, whole(state.now + state.policy.lease), permit .. ':' .. i)
  end
  save_leases(state)
  return true
end

concurrency.refund = function(state, cost, _, _, permit)
  if not is_held(state, cost, permit) then return false end
  for i = 1, cost do redis.call('ZREM', state.key, permit .. ':' .. i) end
  if last_end(state) <= state.now then redis.call('UNLINK', state.key) end
  return true
end
local ALGORITHMS = {
  exact = exact, window = window, smooth = smooth, fixed = fixed, calendar = calendar, concurrency = concurrency
}
local now = clock_us(CLOCK)
local rule = cjson.decode(ARGV[2])
local policies = rule.policies
local reply = { now }

for i = 1, #policies do
  local edges = policies[i].edges
  if edges and (now < edges[1] or now >= edges[#edges - 1]) then return { now, -2 } end
end

local function read_states(first)
  local states = {}
  for i = 1, #policies do
    states[i] = ALGORITHMS[policies[i].algorithm].read(KEYS[first + i], policies[i], now)
  end
  return states
end

-- The time when all policies admit the call, and the policy that does so last.
local function earliest(states, cost)
  local at, last = now, 0
  for i = 1, #policies do
    local own = ALGORITHMS[policies[i].algorithm].earliest(states[i], cost)
    if own > at then at, last = own, i end
  end
  return at, last
end

local function is_too_dear(cost)
  for i = 1, #policies do
    if cost > ALGORITHMS[policies[i].algorithm].capacity(policies[i]) then return i end
  end
end

local function answer(status, wait, refusing, states)
  reply[#reply + 1] = status
  reply[#reply + 1] = wait
  reply[#reply + 1] = refusing - 1
  for i = 1, #policies do
    local left, reset = ALGORITHMS[policies[i].algorithm].standing(states[i])
    reply[#reply + 1] = left
    reply[#reply + 1] = reset
  end
end

-- Until when the key is blocked, and which policy did it.
local function block_of(key)
  if rule.block == 0 then return 0, 0 end
  local block = load_numbers(key)
  if not block then return 0, 0 end
  -- The server's clock was set back: a block is never longer than it was meant to be.
  return math.min(block[1], now + rule.block), math.min(block[2], #policies)
end

-- What a refusal changes, if the rule says that it changes anything; returns when the call would be admitted then.
local function punish(states, cost, block_key, at, refusing)
  if rule.penalty then
    for i = 1, #policies do ALGORITHMS[policies[i].algorithm].penalize(states[i], cost) end
    at = earliest(states, cost)
  end
  if rule.block > 0 then
    save_numbers(block_key, { now + rule.block, refusing }, rule.block)
    at = math.max(at, now + rule.maxWait + rule.block)
  end
  return at
end

local function decide(first, cost, permit)
  local is_look = permit == '?'
  local block_key = KEYS[first + #policies + 1]
  local states = read_states(first)
  local blocked_until, blocked_by = block_of(block_key)
  if blocked_until > now then return answer(0, blocked_until - now, blocked_by, states) end
  if cost == 0 then return answer(1, 0, 0, states) end
  local too_dear = is_too_dear(cost)
  if too_dear then return answer(-1, 0, too_dear, states) end
  local at, refusing = earliest(states, cost)
  if at - now > rule.maxWait then
    if not is_look then at = punish(states, cost, block_key, at, refusing) end
    return answer(0, at - now - rule.maxWait, refusing, states)
  end
  if not is_look then
    for i = 1, #policies do
      ALGORITHMS[policies[i].algorithm].take(states[i], cost, at, permit)
    end
  end
  answer(1, at - now, 0, states)
end

local keys_per_call = #policies
if rule.block > 0 then keys_per_call = keys_per_call + 1 end
for call = 1, (#ARGV - 2) / 2 do
  decide((call - 1) * keys_per_call, tonumber(ARGV[1 + 2 * call]), ARGV[2 + 2 * call])
end
return reply
` },
  limitRefund: { name: 'limit-refund', keys: 'n', lua: `--[[ Takes an admission back, in the policies where that is safe, and says so to everybody.
  KEYS[1..] the states of the policies
  ARGV[1] now, us, for tests   ARGV[2] the rule, JSON   ARGV[3] cost   ARGV[4] when it was decided, us
  ARGV[5] how long it had to wait, us   ARGV[6] permit   ARGV[7] channel   ARGV[8] message
  Returns 1 something was given back | 0 it is too long ago, or others came since ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
-- What the states of all algorithms have in common. A state goes when it says no more than an absent one would.
local function expire_in(us)
  -- Under a test's clock, real time must not take a state away. CLOCK is the test's clock, empty in production.
  local ms = math.max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

local function load_numbers(key)
  local bytes = redis.call('GET', key)
  return bytes and cmsgpack.unpack(bytes)
end

local function save_numbers(key, numbers, us)
  redis.call('SET', key, cmsgpack.pack(numbers), 'PX', expire_in(us))
end
-- Never more than the limit in any window: the stamps of the latest admissions in a list, oldest first.
--
-- A call of cost c fits at the time when the (limit - c + 1)-th newest stamp has left the window: one look, however long
-- the list is. Nothing is admitted before what was admitted last, so no later window holds more than the one that ends
-- with the newest stamp.
local exact = {}
local ENTRIES_PER_PUSH = 1000

-- A stamp is written as a number, and as "stamp+wait" when it was reserved ahead. Returns the stamp and when it was written.
local function stamp_of(entry)
  local stamp = tonumber(entry)
  if stamp then return stamp, stamp end
  local at, wait = string.match(entry, '^(%d+)%+(%d+)$')
  return tonumber(at), tonumber(at) - tonumber(wait)
end

local function entry_of(at, now)
  if at <= now then return whole(at) end
  return whole(at) .. '+' .. whole(at - now)
end

local function push(key, entries)
  local length = 0
  for i = 1, #entries, ENTRIES_PER_PUSH do
    length = redis.call('RPUSH', key, unpack(entries, i, math.min(#entries, i + ENTRIES_PER_PUSH - 1)))
  end
  return length
end

-- The server's clock was set back: everything happened at least that much earlier on the new scale.
local function move_stamps(key, policy, now, by)
  local entries = redis.call('LRANGE', key, 0, -1)
  local newest = 0
  for i = 1, #entries do
    local at, written = stamp_of(entries[i])
    newest = math.max(0, at - by)
    entries[i] = entry_of(newest, math.max(0, written - by))
  end
  redis.call('DEL', key)
  push(key, entries)
  redis.call('PEXPIRE', key, expire_in(newest + policy.window - now))
  return newest
end

-- How many of the oldest stamps have left the window that ends now: near the front in the usual case, so galloping.
local function count_dead(key, length, edge)
  local function is_dead(i)
    return i < length and (stamp_of(redis.call('LINDEX', key, i))) <= edge
  end
  if not is_dead(0) then return 0 end
  local low, step = 0, 1
  while is_dead(low + step) do
    low = low + step
    step = step * 2
  end
  local high = math.min(low + step, length)
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    if is_dead(middle) then low = middle else high = middle end
  end
  return high
end

exact.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now }
  local last = redis.call('LINDEX', key, -1)
  if not last then return state end
  local newest, written = stamp_of(last)
  if written > now then newest = move_stamps(key, policy, now, written - now) end
  state.newest = newest
  return state
end

exact.capacity = function(policy) return policy.limit end

exact.earliest = function(state, cost)
  if not state.newest then return state.now end
  local at = math.max(state.now, state.newest)
  local entry = redis.call('LINDEX', state.key, cost - state.policy.limit - 1)
  if entry then at = math.max(at, stamp_of(entry) + state.policy.window) end
  return at
end

exact.take = function(state, cost, at)
  local entry = entry_of(at, state.now)
  local entries = {}
  for i = 1, cost do entries[i] = entry end
  local length = push(state.key, entries)
  -- Only what has left the window that ends now: a reservation may be taken back, and earlier windows count again.
  local dead = count_dead(state.key, length, state.now - state.policy.window)
  if dead > 0 then redis.call('LTRIM', state.key, dead, -1) end
  redis.call('PEXPIRE', state.key, expire_in(at + state.policy.window - state.now))
  state.newest, state.used = at, length - dead
end

exact.penalize = function(state, cost)
  local limit = state.policy.limit
  exact.take(state, cost, math.max(state.now, state.newest or 0))
  if state.used > limit then
    redis.call('LTRIM', state.key, -limit, -1)
    state.used = limit
  end
end

exact.standing = function(state)
  local limit, window = state.policy.limit, state.policy.window
  if not state.newest then return limit, 0 end
  if not state.used then
    local length = redis.call('LLEN', state.key)
    state.used = length - count_dead(state.key, length, state.now - window)
  end
  return math.max(0, limit - state.used), math.max(0, state.newest + window - state.now)
end

exact.refund = function(state, cost, at, now_then)
  if not state.newest or at <= state.now - state.policy.window then return false end
  return redis.call('LREM', state.key, -cost, entry_of(at, now_then)) > 0
end
-- Never more than the limit in any window: counts by slice of time, newest first.
--
-- A window of B slices touches at most B + 1 of them; all of those are counted, so what is let in never exceeds the limit,
-- and at least limit * B / (B + 1) get in. State: slice width, slices a window, when written, newest slice, its count, and
-- the counts of the slices before it.
local window = {}

local function count_of(state, slice)
  return state.counts[state.top - slice + 1] or 0
end

-- The counts of the slices from \`top\` down to the oldest that matters now.
local function counts_from(state, top)
  local counts = {}
  local oldest = math.floor(state.now / state.policy.slice) - state.policy.slices
  for slice = top, oldest, -1 do
    counts[#counts + 1] = state.top and count_of(state, slice) or 0
  end
  return counts
end

local function save_window(state)
  local slice, slices = state.policy.slice, state.policy.slices
  local numbers = { slice, slices, state.now, state.top, unpack(state.counts) }
  while #numbers > 5 and numbers[#numbers] == 0 do numbers[#numbers] = nil end
  save_numbers(state.key, numbers, (state.top + slices + 1) * slice - state.now)
end

-- Slices of another width cannot be told apart any more: all that still counts is taken to be in one slice, the latest it
-- can have been in.
local function in_one_slice(state, slice, slices)
  local current = math.floor(state.now / slice)
  local sum = 0
  for i = 1, #state.counts do
    if state.top - i + 1 >= current - slices then sum = sum + state.counts[i] end
  end
  local latest = state.now
  if state.top > current then latest = (state.top + 1) * slice - 1 end
  state.top, state.counts = nil, {}
  if sum > 0 then state.top, state.counts = math.floor(latest / state.policy.slice), { sum } end
end

window.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now, counts = {} }
  local numbers = load_numbers(key)
  if not numbers then return state end
  local slice, slices, written = numbers[1], numbers[2], numbers[3]
  state.top = numbers[4]
  for i = 5, #numbers do state.counts[i - 4] = numbers[i] end
  -- The server's clock was set back; see exact.
  if written > now then
    state.top = state.top - math.floor((written - now) / slice)
    state.moved = true
  end
  if slice ~= policy.slice then in_one_slice(state, slice, slices) end
  if state.moved and state.top then save_window(state) end
  return state
end

window.capacity = function(policy) return policy.limit end

window.earliest = function(state, cost)
  local slice, slices, limit = state.policy.slice, state.policy.slices, state.policy.limit
  if not state.top then return state.now end
  local at = math.max(math.floor(state.now / slice), state.top)
  local sum = 0
  for i = at - slices, state.top do sum = sum + count_of(state, i) end
  -- Once all have left the sum is 0, and the cost is no more than the limit.
  while sum + cost > limit do
    sum = sum - count_of(state, at - slices)
    at = at + 1
  end
  return math.max(state.now, at * slice)
end

window.take = function(state, cost, at)
  local slice = math.floor(at / state.policy.slice)
  state.counts = counts_from(state, slice)
  state.top = slice
  state.counts[1] = state.counts[1] + cost
  save_window(state)
end

window.penalize = function(state, cost)
  local slice = math.max(math.floor(state.now / state.policy.slice), state.top or 0)
  state.counts = counts_from(state, slice)
  state.top = slice
  state.counts[1] = math.min(state.policy.limit, state.counts[1] + cost)
  save_window(state)
end

window.standing = function(state)
  local slice, slices, limit = state.policy.slice, state.policy.slices, state.policy.limit
  if not state.top then return limit, 0 end
  local used = 0
  local oldest = math.floor(state.now / slice) - slices
  for i = oldest, state.top do used = used + count_of(state, i) end
  return math.max(0, limit - used), math.max(0, (state.top + slices + 1) * slice - state.now)
end

window.refund = function(state, cost, at)
  local slice = math.floor(at / state.policy.slice)
  local oldest = math.floor(state.now / state.policy.slice) - state.policy.slices
  if not state.top or slice < oldest or slice > state.top or count_of(state, slice) < cost then return false end
  local index = state.top - slice + 1
  state.counts[index] = state.counts[index] - cost
  while state.counts[1] == 0 do
    table.remove(state.counts, 1)
    state.top = state.top - 1
  end
  if #state.counts == 0 then redis.call('UNLINK', state.key) else save_window(state) end
  return true
end
-- A bucket of \`burst\` permits that gets one back every interval (GCRA): one number, the time when the bucket is full again.
--
-- State: that time, when written, and the time and cost of the latest admission, which alone can be taken back.
local smooth = {}

smooth.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now, full = 0, last = 0, last_cost = 0 }
  local numbers = load_numbers(key)
  if not numbers then return state end
  -- The server's clock was set back; see exact.
  local by = math.max(0, numbers[2] - now)
  state.full, state.last, state.last_cost = numbers[1] - by, numbers[3] - by, numbers[4]
  if by > 0 then smooth.save(state) end
  return state
end

smooth.save = function(state)
  local numbers = { state.full, state.now, state.last, state.last_cost }
  save_numbers(state.key, numbers, state.full - state.now)
end

smooth.capacity = function(policy) return policy.burst end

smooth.earliest = function(state, cost)
  return math.max(state.now, state.full + (cost - state.policy.burst) * state.policy.interval)
end

smooth.take = function(state, cost, at)
  state.full = math.max(state.full, at) + cost * state.policy.interval
  state.last, state.last_cost = at, cost
  smooth.save(state)
end

-- The bucket is emptied, and not more: else who keeps trying would stay out for longer than a full refill.
smooth.penalize = function(state, cost)
  local interval, now = state.policy.interval, state.now
  local emptied = now + state.policy.burst * interval
  state.full = math.max(state.full, math.min(math.max(state.full, now) + cost * interval, emptied))
  state.last = 0
  smooth.save(state)
end

smooth.standing = function(state)
  local missing = math.max(0, state.full - state.now)
  local left = math.floor(state.policy.burst - missing / state.policy.interval)
  return math.max(0, left), missing
end

-- After a later admission nobody can say what of the debt is whose.
smooth.refund = function(state, cost, at)
  if state.full <= state.now or state.last ~= at or state.last_cost ~= cost then return false end
  state.full, state.last = state.full - cost * state.policy.interval, 0
  if state.full <= state.now then redis.call('UNLINK', state.key) else smooth.save(state) end
  return true
end
-- So many per period. State: when the period begins, how much was admitted in it, when written.
--
-- A period of \`fixed\` begins with the first admission after the last one; those of \`calendar\` begin at the edges that came
-- with the rule, because Redis knows no time zones. A reservation opens the next period ahead of time.
local fixed = {}

-- The edge at or before a time; the first one for what is before all.
local function edge_before(edges, at)
  local found = edges[1]
  for i = 1, #edges do
    if edges[i] <= at then found = edges[i] end
  end
  return found
end

local function end_of(policy, start)
  if not policy.edges then return start + policy.window end
  for i = 1, #policy.edges do
    if policy.edges[i] > start then return policy.edges[i] end
  end
  -- Beyond what came with the rule: no reservation reaches that far.
  return start + policy.edges[#policy.edges] - policy.edges[#policy.edges - 1]
end

local function save_period(state)
  save_numbers(state.key, { state.start, state.count, state.now }, end_of(state.policy, state.start) - state.now)
end

fixed.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now }
  local numbers = load_numbers(key)
  if not numbers then return state end
  -- The server's clock was set back; see exact.
  local by = math.max(0, numbers[3] - now)
  local start = numbers[1] - by
  if policy.edges then start = edge_before(policy.edges, start) end
  if end_of(policy, start) <= now then return state end
  state.start, state.count = start, numbers[2]
  if by > 0 then save_period(state) end
  return state
end

fixed.capacity = function(policy) return policy.limit end

fixed.earliest = function(state, cost)
  if not state.start then return state.now end
  if state.count + cost <= state.policy.limit then return math.max(state.now, state.start) end
  return end_of(state.policy, state.start)
end

fixed.take = function(state, cost, at)
  if state.start and at < end_of(state.policy, state.start) then
    state.count = state.count + cost
  else
    state.start, state.count = at, cost
    if state.policy.edges then state.start = edge_before(state.policy.edges, at) end
  end
  save_period(state)
end

fixed.penalize = function(state, cost)
  fixed.take(state, cost, math.max(state.now, state.start or 0))
  if state.count > state.policy.limit then
    state.count = state.policy.limit
    save_period(state)
  end
end

fixed.standing = function(state)
  local limit = state.policy.limit
  if not state.start then return limit, 0 end
  local left = math.max(0, limit - state.count)
  -- The next period is open already, so this one is used up.
  if state.start > state.now then left = 0 end
  return left, end_of(state.policy, state.start) - state.now
end

fixed.refund = function(state, cost, at)
  local is_this = state.start and at >= state.start and at < end_of(state.policy, state.start)
  if not is_this or state.count < cost then return false end
  state.count = state.count - cost
  save_period(state)
  return true
end

local calendar = fixed
-- So many at the same time: permits in a sorted set by when their lease ends. '!written' has a score below 0.
local concurrency = {}

-- The server's clock was set back; see exact.
local function move_leases(key, by)
  local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for i = 1, #members, 2 do
    local ends = tonumber(members[i + 1])
    if ends > 0 then redis.call('ZADD', key, whole(math.max(1, ends - by)), members[i]) end
  end
end

local function last_end(state)
  local last = redis.call('ZRANGE', state.key, -1, -1, 'WITHSCORES')
  return last[2] and tonumber(last[2]) or 0
end

local function save_leases(state)
  redis.call('ZADD', state.key, whole(-state.now), '!written')
  redis.call('PEXPIRE', state.key, expire_in(last_end(state) - state.now))
end

concurrency.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now }
  local written = redis.call('ZSCORE', key, '!written')
  local by = written and -tonumber(written) - now or 0
  if by > 0 then
    move_leases(key, by)
    save_leases(state)
  end
  state.live = written and redis.call('ZCOUNT', key, '(' .. whole(now), '+inf') or 0
  return state
end

concurrency.capacity = function(policy) return policy.limit end

-- When enough leases will have ended, if nobody gives back or renews.
concurrency.earliest = function(state, cost)
  local excess = state.live + cost - state.policy.limit
  if excess <= 0 then return state.now end
  local found = redis.call('ZRANGEBYSCORE', state.key, '(' .. whole(state.now), '+inf',
    'WITHSCORES', 'LIMIT', excess - 1, 1)
  return tonumber(found[2])
end

concurrency.take = function(state, cost, at, permit)
  redis.call('ZREMRANGEBYSCORE', state.key, '(0', whole(state.now))
  for i = 1, cost do
    redis.call('ZADD', state.key, whole(at + state.policy.lease), permit .. ':' .. i)
  end
  state.live = state.live + cost
  save_leases(state)
end

concurrency.penalize = function() end

concurrency.standing = function(state)
  local reset = 0
  if state.live > 0 then reset = last_end(state) - state.now end
  return math.max(0, state.policy.limit - state.live), reset
end

-- False when one of the permits has ended.
local function is_held(state, cost, permit)
  for i = 1, cost do
    local ends = redis.call('ZSCORE', state.key, permit .. ':' .. i)
    if not ends or tonumber(ends) <= state.now then return false end
  end
  return true
end

concurrency.renew = function(state, cost, permit)
  if not is_held(state, cost, permit) then return false end
  for i = 1, cost do
    redis.call('ZADD', state.key, whole(state.now + state.policy.lease), permit .. ':' .. i)
  end
  save_leases(state)
  return true
end

concurrency.refund = function(state, cost, _, _, permit)
  if not is_held(state, cost, permit) then return false end
  for i = 1, cost do redis.call('ZREM', state.key, permit .. ':' .. i) end
  if last_end(state) <= state.now then redis.call('UNLINK', state.key) end
  return true
end
local ALGORITHMS = {
  exact = exact, window = window, smooth = smooth, fixed = fixed, calendar = calendar, concurrency = concurrency
}
local now = clock_us(CLOCK)
local policies = cjson.decode(ARGV[2]).policies
local cost, decided = tonumber(ARGV[3]), tonumber(ARGV[4])
local at = decided + tonumber(ARGV[5])
local given = 0
for i = 1, #policies do
  local algorithm = ALGORITHMS[policies[i].algorithm]
  local state = algorithm.read(KEYS[i], policies[i], now)
  if algorithm.refund(state, cost, at, decided, ARGV[6]) then given = 1 end
end
if given == 1 then redis.call('PUBLISH', ARGV[7], ARGV[8]) end
return given
` },
  limitRenew: { name: 'limit-renew', keys: 'n', lua: `--[[ Prolongs permits to a full lease from now.
  KEYS[1..] for each permit: the states of the rule's concurrency policies
  ARGV[1] now, us, for tests   ARGV[2] the rule with those policies only, JSON   ARGV[3..] for each permit: cost, permit
  Returns for each permit 1 prolonged | 0 had ended ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
-- What the states of all algorithms have in common. A state goes when it says no more than an absent one would.
local function expire_in(us)
  -- Under a test's clock, real time must not take a state away. CLOCK is the test's clock, empty in production.
  local ms = math.max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

local function load_numbers(key)
  local bytes = redis.call('GET', key)
  return bytes and cmsgpack.unpack(bytes)
end

local function save_numbers(key, numbers, us)
  redis.call('SET', key, cmsgpack.pack(numbers), 'PX', expire_in(us))
end
-- So many at the same time: permits in a sorted set by when their lease ends. '!written' has a score below 0.
local concurrency = {}

-- The server's clock was set back; see exact.
local function move_leases(key, by)
  local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for i = 1, #members, 2 do
    local ends = tonumber(members[i + 1])
    if ends > 0 then redis.call('ZADD', key, whole(math.max(1, ends - by)), members[i]) end
  end
end

local function last_end(state)
  local last = redis.call('ZRANGE', state.key, -1, -1, 'WITHSCORES')
  return last[2] and tonumber(last[2]) or 0
end

local function save_leases(state)
  redis.call('ZADD', state.key, whole(-state.now), '!written')
  redis.call('PEXPIRE', state.key, expire_in(last_end(state) - state.now))
end

concurrency.read = function(key, policy, now)
  local state = { key = key, policy = policy, now = now }
  local written = redis.call('ZSCORE', key, '!written')
  local by = written and -tonumber(written) - now or 0
  if by > 0 then
    move_leases(key, by)
    save_leases(state)
  end
  state.live = written and redis.call('ZCOUNT', key, '(' .. whole(now), '+inf') or 0
  return state
end

concurrency.capacity = function(policy) return policy.limit end

-- When enough leases will have ended, if nobody gives back or renews.
concurrency.earliest = function(state, cost)
  local excess = state.live + cost - state.policy.limit
  if excess <= 0 then return state.now end
  local found = redis.call('ZRANGEBYSCORE', state.key, '(' .. whole(state.now), '+inf',
    'WITHSCORES', 'LIMIT', excess - 1, 1)
  return tonumber(found[2])
end

concurrency.take = function(state, cost, at, permit)
  redis.call('ZREMRANGEBYSCORE', state.key, '(0', whole(state.now))
  for i = 1, cost do
    redis.call('ZADD', state.key, whole(at + state.policy.lease), permit .. ':' .. i)
  end
  state.live = state.live + cost
  save_leases(state)
end

concurrency.penalize = function() end

concurrency.standing = function(state)
  local reset = 0
  if state.live > 0 then reset = last_end(state) - state.now end
  return math.max(0, state.policy.limit - state.live), reset
end

-- False when one of the permits has ended.
local function is_held(state, cost, permit)
  for i = 1, cost do
    local ends = redis.call('ZSCORE', state.key, permit .. ':' .. i)
    if not ends or tonumber(ends) <= state.now then return false end
  end
  return true
end

concurrency.renew = function(state, cost, permit)
  if not is_held(state, cost, permit) then return false end
  for i = 1, cost do
    redis.call('ZADD', state.key, whole(state.now + state.policy.lease), permit .. ':' .. i)
  end
  save_leases(state)
  return true
end

concurrency.refund = function(state, cost, _, _, permit)
  if not is_held(state, cost, permit) then return false end
  for i = 1, cost do redis.call('ZREM', state.key, permit .. ':' .. i) end
  if last_end(state) <= state.now then redis.call('UNLINK', state.key) end
  return true
end
local now = clock_us(CLOCK)
local policies = cjson.decode(ARGV[2]).policies
local reply = {}
for call = 1, (#ARGV - 2) / 2 do
  local cost, permit = tonumber(ARGV[1 + 2 * call]), ARGV[2 + 2 * call]
  local is_held = 1
  for i = 1, #policies do
    local state = concurrency.read(KEYS[(call - 1) * #policies + i], policies[i], now)
    if not concurrency.renew(state, cost, permit) then is_held = 0 end
  end
  reply[call] = is_held
end
return reply
` },
  limitReset: { name: 'limit-reset', keys: 'n', lua: `--[[ Forgets what is known of a key, and says so to everybody.
  KEYS[1..] the states of the policies, and the block
  ARGV[1] channel   ARGV[2] message
  Returns how many there were ]]
local count = redis.call('UNLINK', unpack(KEYS))
redis.call('PUBLISH', ARGV[1], ARGV[2])
return count
` },
  lockAcquire: { name: 'lock-acquire', keys: 4, lua: `--[[ Takes a lock, or a place in its queue.
  KEYS[1] holders   KEYS[2] fence   KEYS[3] queue   KEYS[4] waiters
  ARGV[1] mode (w, r, p)   ARGV[2] owner   ARGV[3] lease, ms   ARGV[4] permits   ARGV[5] heartbeat, ms; 0 not to wait
  ARGV[6] inbox channel   ARGV[7] how long a fence is remembered, ms   ARGV[8] now, us, for tests
  Returns {1, fence} granted | {0, ms to ask again in, place in the queue from 0, or -1} held ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, and, while somebody waits, a sorted set of waiters by ticket
-- and a hash of each waiter's sign of life. Members begin with the mode: w, r or p. All times are microseconds.
local DEAD_AT_ONCE = 1000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

-- Makes sure the key lives at least this long; never shortens.
local function outlive(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- Forgets holders whose lease has ended. Returns how many there are, and the first one to end with its end.
local function holders_now(holders, now)
  local first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
  if not first[1] then return 0 end
  if tonumber(first[2]) <= now then
    redis.call('ZREMRANGEBYSCORE', holders, '-inf', whole(now))
    first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
    if not first[1] then return 0 end
  end
  return redis.call('ZCARD', holders), first[1], tonumber(first[2])
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(count, first, mode, permits)
  if count == 0 then return true end
  if mode == 'w' or string.sub(first, 1, 1) ~= mode then return false end
  return mode == 'r' or count < permits
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    if sign then
      local ends, inbox = string.match(sign, '^(%d+)|(.*)$')
      if ends and tonumber(ends) > now then return head, tonumber(ends), inbox end
    end
    redis.call('ZREM', queue, head)
    redis.call('HDEL', waiters, head)
  end
  return nil
end

local function wake_head(queue, waiters, now)
  local head, _, inbox = head_of(queue, waiters, now)
  if head and inbox ~= '' then redis.call('PUBLISH', inbox, head) end
end
local holders, fence_key, queue, waiters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local mode, member = ARGV[1], ARGV[1] .. ARGV[2]
local lease, permits, heartbeat = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now = clock_us(ARGV[8])

local function mint_fence()
  local fence = math.max(tonumber(redis.call('GET', fence_key) or '0') + 1, now)
  redis.call('SET', fence_key, whole(fence), 'PX', ARGV[7])
  return fence
end

local function hold()
  redis.call('ZADD', holders, whole(now + lease * 1000), member)
  outlive(holders, lease)
end

local count, first, first_ends = holders_now(holders, now)

-- A reply got lost, or the request came twice. Holding alone, the last fence is this owner's own.
if count > 0 and redis.call('ZSCORE', holders, member) then
  hold()
  local fence = mode == 'w' and tonumber(redis.call('GET', fence_key) or '0') or 0
  return { 1, fence > 0 and fence or mint_fence() }
end

local head, head_ends = nil, nil
local is_queued = redis.call('EXISTS', queue) == 1
if is_queued then head, head_ends = head_of(queue, waiters, now) end

if admits(count, first, mode, permits) and (not head or head == member) then
  local fence = mint_fence()
  hold()
  if is_queued then
    redis.call('ZREM', queue, member)
    redis.call('HDEL', waiters, member)
    -- The next one may fit beside this one.
    if mode ~= 'w' then wake_head(queue, waiters, now) end
  end
  return { 1, fence }
end

-- The next change that comes by itself: a lease ends, or the head is found dead.
local ask_at = first_ends
if head and head ~= member and (not ask_at or head_ends < ask_at) then ask_at = head_ends end
if heartbeat == 0 then return { 0, ask_at and ms_until(ask_at, now) or 1, -1 } end

if not redis.call('ZSCORE', queue, member) then
  local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', queue, whole(math.max(now, tonumber(last or '0') + 1)), member)
end
redis.call('HSET', waiters, member, whole(now + 2000 * heartbeat) .. '|' .. ARGV[6])
redis.call('PEXPIRE', queue, whole(4 * heartbeat))
redis.call('PEXPIRE', waiters, whole(4 * heartbeat))
local ask_in = ask_at and math.min(ms_until(ask_at, now), heartbeat) or heartbeat
return { 0, ask_in, redis.call('ZRANK', queue, member) }
` },
  lockInspect: { name: 'lock-inspect', keys: 3, lua: `--[[ Looks at a lock and changes nothing.
  KEYS[1] holders   KEYS[2] fence   KEYS[3] queue
  ARGV[1] now, us, for tests
  Returns {fence, waiters, holder, ms left, holder, ms left, ...} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local now = clock_us(ARGV[1])
local reply = { tonumber(redis.call('GET', KEYS[2]) or '0'), redis.call('ZCARD', KEYS[3]) }
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. whole(now), '+inf', 'WITHSCORES')
for i = 1, #live, 2 do
  reply[#reply + 1] = live[i]
  reply[#reply + 1] = math.ceil((tonumber(live[i + 1]) - now) / 1000)
end
return reply
` },
  lockLeave: { name: 'lock-leave', keys: 3, lua: `--[[ Gives up: leaves the queue, and releases a grant whose reply came too late or never.
  KEYS[1] holders   KEYS[2] queue   KEYS[3] waiters
  ARGV[1] mode   ARGV[2] owner   ARGV[3] now, us, for tests
  Returns 1 ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, and, while somebody waits, a sorted set of waiters by ticket
-- and a hash of each waiter's sign of life. Members begin with the mode: w, r or p. All times are microseconds.
local DEAD_AT_ONCE = 1000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

-- Makes sure the key lives at least this long; never shortens.
local function outlive(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- Forgets holders whose lease has ended. Returns how many there are, and the first one to end with its end.
local function holders_now(holders, now)
  local first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
  if not first[1] then return 0 end
  if tonumber(first[2]) <= now then
    redis.call('ZREMRANGEBYSCORE', holders, '-inf', whole(now))
    first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
    if not first[1] then return 0 end
  end
  return redis.call('ZCARD', holders), first[1], tonumber(first[2])
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(count, first, mode, permits)
  if count == 0 then return true end
  if mode == 'w' or string.sub(first, 1, 1) ~= mode then return false end
  return mode == 'r' or count < permits
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    if sign then
      local ends, inbox = string.match(sign, '^(%d+)|(.*)$')
      if ends and tonumber(ends) > now then return head, tonumber(ends), inbox end
    end
    redis.call('ZREM', queue, head)
    redis.call('HDEL', waiters, head)
  end
  return nil
end

local function wake_head(queue, waiters, now)
  local head, _, inbox = head_of(queue, waiters, now)
  if head and inbox ~= '' then redis.call('PUBLISH', inbox, head) end
end
local now = clock_us(ARGV[3])
local member = ARGV[1] .. ARGV[2]
redis.call('ZREM', KEYS[1], member)
redis.call('ZREM', KEYS[2], member)
redis.call('HDEL', KEYS[3], member)
-- Whoever is next may fit now, or may have fitted behind a head that did not.
wake_head(KEYS[2], KEYS[3], now)
return 1
` },
  lockRaise: { name: 'lock-raise', keys: 2, lua: `--[[ Raises the last fence while the owner holds: the second round of a quorum.
  KEYS[1] holders   KEYS[2] fence
  ARGV[1] mode   ARGV[2] owner   ARGV[3] fence   ARGV[4] how long a fence is remembered, ms   ARGV[5] now, us, for tests
  Returns 1 raised | 0 is not held ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local now = clock_us(ARGV[5])
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1] .. ARGV[2])
if not ends or tonumber(ends) <= now then return 0 end
local fence = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(ARGV[3]))
redis.call('SET', KEYS[2], whole(fence), 'PX', ARGV[4])
return 1
` },
  lockRelease: { name: 'lock-release', keys: 3, lua: `--[[ Ends a lease, and wakes who is next.
  KEYS[1] holders   KEYS[2] queue   KEYS[3] waiters
  ARGV[1] mode   ARGV[2] owner   ARGV[3] now, us, for tests
  Returns 1 released | 0 was not held any more ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, and, while somebody waits, a sorted set of waiters by ticket
-- and a hash of each waiter's sign of life. Members begin with the mode: w, r or p. All times are microseconds.
local DEAD_AT_ONCE = 1000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

-- Makes sure the key lives at least this long; never shortens.
local function outlive(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- Forgets holders whose lease has ended. Returns how many there are, and the first one to end with its end.
local function holders_now(holders, now)
  local first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
  if not first[1] then return 0 end
  if tonumber(first[2]) <= now then
    redis.call('ZREMRANGEBYSCORE', holders, '-inf', whole(now))
    first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
    if not first[1] then return 0 end
  end
  return redis.call('ZCARD', holders), first[1], tonumber(first[2])
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(count, first, mode, permits)
  if count == 0 then return true end
  if mode == 'w' or string.sub(first, 1, 1) ~= mode then return false end
  return mode == 'r' or count < permits
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    if sign then
      local ends, inbox = string.match(sign, '^(%d+)|(.*)$')
      if ends and tonumber(ends) > now then return head, tonumber(ends), inbox end
    end
    redis.call('ZREM', queue, head)
    redis.call('HDEL', waiters, head)
  end
  return nil
end

local function wake_head(queue, waiters, now)
  local head, _, inbox = head_of(queue, waiters, now)
  if head and inbox ~= '' then redis.call('PUBLISH', inbox, head) end
end
local now = clock_us(ARGV[3])
local member = ARGV[1] .. ARGV[2]
local ends = redis.call('ZSCORE', KEYS[1], member)
if not ends then return 0 end
redis.call('ZREM', KEYS[1], member)
if redis.call('EXISTS', KEYS[2]) == 1 then wake_head(KEYS[2], KEYS[3], now) end
return tonumber(ends) > now and 1 or 0
` },
  lockRenew: { name: 'lock-renew', keys: 1, lua: `--[[ Prolongs a lease.
  KEYS[1] holders
  ARGV[1] mode   ARGV[2] owner   ARGV[3] lease, ms   ARGV[4] now, us, for tests
  Returns 1 prolonged | 0 had ended ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, and, while somebody waits, a sorted set of waiters by ticket
-- and a hash of each waiter's sign of life. Members begin with the mode: w, r or p. All times are microseconds.
local DEAD_AT_ONCE = 1000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

-- Makes sure the key lives at least this long; never shortens.
local function outlive(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- Forgets holders whose lease has ended. Returns how many there are, and the first one to end with its end.
local function holders_now(holders, now)
  local first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
  if not first[1] then return 0 end
  if tonumber(first[2]) <= now then
    redis.call('ZREMRANGEBYSCORE', holders, '-inf', whole(now))
    first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
    if not first[1] then return 0 end
  end
  return redis.call('ZCARD', holders), first[1], tonumber(first[2])
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(count, first, mode, permits)
  if count == 0 then return true end
  if mode == 'w' or string.sub(first, 1, 1) ~= mode then return false end
  return mode == 'r' or count < permits
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    if sign then
      local ends, inbox = string.match(sign, '^(%d+)|(.*)$')
      if ends and tonumber(ends) > now then return head, tonumber(ends), inbox end
    end
    redis.call('ZREM', queue, head)
    redis.call('HDEL', waiters, head)
  end
  return nil
end

local function wake_head(queue, waiters, now)
  local head, _, inbox = head_of(queue, waiters, now)
  if head and inbox ~= '' then redis.call('PUBLISH', inbox, head) end
end
local now = clock_us(ARGV[4])
local member = ARGV[1] .. ARGV[2]
local lease = tonumber(ARGV[3])
local ends = redis.call('ZSCORE', KEYS[1], member)
-- A lease that has ended stays ended, even if nobody came for the lock: its holder has been told so by its own clock.
if not ends or tonumber(ends) <= now then return 0 end
redis.call('ZADD', KEYS[1], whole(now + lease * 1000), member)
outlive(KEYS[1], lease)
return 1
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
