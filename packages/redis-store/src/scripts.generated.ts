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
-- Nor do arguments of commands, which Redis writes with 17 digits.
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
-- Nor do arguments of commands, which Redis writes with 17 digits.
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
-- Between number and key of a member. Puts for which the last writer wins are refused by changes that void only.
local CHANGE, VOID = ':', '!'

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local head = redis.call('ZMSCORE', log, '!seq', '!floor')
  if head[1] then return -tonumber(head[1]), -tonumber(head[2] or head[1]) end
  local first = mint(0, us)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first, first
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq. \`is_soft\` and \`settle\`:
-- how they were evicted; the message has them only where there is something to say.
local function record(log, channel, partition, keys, us, voids, is_soft, settle)
  local previous = open_log(log, us)
  local seq = mint(previous, us)
  local score = whole(seq)
  local before = score .. (voids and VOID or CHANGE)
  local members = { '-' .. score, '!seq' }
  for i = 1, #keys do
    members[2 * i + 1] = score
    members[2 * i + 2] = before .. keys[i]
  end
  redis.call('ZADD', log, unpack(members))
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess + TRIM, 1 + excess + TRIM, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess + TRIM)
    redis.call('ZADD', log, '-' .. whole(tonumber(last[2])), '!floor')
  end
  local message = { tonumber(partition), whole(previous), score, keys }
  if is_soft or (settle or 0) > 0 then
    message[5] = is_soft and 1 or 0
    message[6] = settle or 0
  end
  redis.call('PUBLISH', channel, 'k' .. cmsgpack.pack(message))
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
  claim: { name: 'claim', keys: 'n', lua: `--[[ Claims the right to load entries, each by itself.
  KEYS[1..] entries
  ARGV[1] lease, ms   ARGV[2..] for each: token, or where there is more to say: "token,commit id seen or 0,token to overtake
  or 0,lease"
  Returns now, then for each: 1 granted | {holder, ms left} held | bytes filled meanwhile ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
local TOKEN_AT = 54
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function header_bytes(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  return type(head) == 'string' and #head == HEADER and head or nil
end

local function parse_header(head)
  if not head then return nil end
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

local function read_header(key)
  return parse_header(header_bytes(key))
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

-- What is left of a settle window, ms; 0 when there is none. It ends with the entry's life; with the freshness of one that
-- is stale, which has no other use for that and may be kept longer.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  local length = has(head.flags, STALE) and head.fresh or head.lives
  return math.max(head.created + length - now, 0)
end

-- Says in a stale entry until when its settle window stands.
local function set_window(key, head, ends)
  redis.call('SETRANGE', key, 24, struct.pack('>I5', math.max(ends - head.created, 0)))
end

-- Removes an entry with its lease; leaves a marker where a settle window stands.
local function remove(key, window, now)
  if window > 0 then
    redis.call('SET', key, empty_entry(EMPTY + SETTLING, now, window, 0, 0), 'PX', whole(window))
  else
    redis.call('UNLINK', key)
  end
end
local now = math.floor(now_us() / 1000)

local usual_lease = tonumber(ARGV[1])
-- All but the token, which comes last, is the same for most.
local claimed = string.sub(empty_entry(EMPTY, 0, 0, now + usual_lease, 0), 1, TOKEN_AT)

local function claim(key, token, seen, overtake, lease)
  -- Mostly there is nothing, so this comes first. A full server refuses it, whatever is there.
  local bytes = lease == usual_lease and claimed .. struct.pack('>I6', token)
    or empty_entry(EMPTY, 0, 0, now + lease, token)
  local outcome = redis.pcall('SET', key, bytes, 'PX', lease + SLACK, 'NX')
  if outcome and outcome.ok then return 1 end

  local head = read_header(key)
  if not head then
    redis.call('SET', key, bytes, 'PX', lease + SLACK)
    return 1
  end

  local is_news = not has(head.flags, EMPTY) and not has(head.flags, STALE)
    and head.commit ~= seen and head.created + head.fresh > now
  if is_news then return redis.call('GET', key) end

  local is_held = head.token ~= 0 and head.token ~= token and head.token ~= overtake and head.deadline > now
  if is_held then
    if not has(head.flags, WAITED) then set_flags(key, head.flags + WAITED) end
    return { head.token, head.deadline - now }
  end

  -- The waited flag stays: whoever waited for the last holder now waits for this one.
  set_lease(key, now + lease, token)
  live_at_least(key, lease + SLACK)
  return 1
end

local reply = { now }
for i = 1, #KEYS do
  local token = tonumber(ARGV[i + 1])
  if token then
    reply[i + 1] = claim(KEYS[i], token, 0, 0, usual_lease)
  else
    local own, seen, overtake, lease = string.match(ARGV[i + 1], '^(%d+),(%d+),(%d+),(%d+)$')
    reply[i + 1] = claim(KEYS[i], tonumber(own), tonumber(seen), tonumber(overtake), tonumber(lease))
  end
end
return reply
` },
  evict: { name: 'evict', keys: 'n', lua: `--[[ Evicts entries of one partition, and with them every lease on them.
  KEYS[1] partition log   KEYS[2..] entries
  ARGV[1] soft 0 | 1   ARGV[2] settle window, ms, 0 for none   ARGV[3] channel   ARGV[4] partition
  ARGV[5] voids puts that know nothing of this, 0 | 1
  ARGV[6..] full keys, in the order of the entries
  Returns {now, previous, seq} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
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
local TOKEN_AT = 54
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function header_bytes(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  return type(head) == 'string' and #head == HEADER and head or nil
end

local function parse_header(head)
  if not head then return nil end
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

local function read_header(key)
  return parse_header(header_bytes(key))
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

-- What is left of a settle window, ms; 0 when there is none. It ends with the entry's life; with the freshness of one that
-- is stale, which has no other use for that and may be kept longer.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  local length = has(head.flags, STALE) and head.fresh or head.lives
  return math.max(head.created + length - now, 0)
end

-- Says in a stale entry until when its settle window stands.
local function set_window(key, head, ends)
  redis.call('SETRANGE', key, 24, struct.pack('>I5', math.max(ends - head.created, 0)))
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
-- Between number and key of a member. Puts for which the last writer wins are refused by changes that void only.
local CHANGE, VOID = ':', '!'

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local head = redis.call('ZMSCORE', log, '!seq', '!floor')
  if head[1] then return -tonumber(head[1]), -tonumber(head[2] or head[1]) end
  local first = mint(0, us)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first, first
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq. \`is_soft\` and \`settle\`:
-- how they were evicted; the message has them only where there is something to say.
local function record(log, channel, partition, keys, us, voids, is_soft, settle)
  local previous = open_log(log, us)
  local seq = mint(previous, us)
  local score = whole(seq)
  local before = score .. (voids and VOID or CHANGE)
  local members = { '-' .. score, '!seq' }
  for i = 1, #keys do
    members[2 * i + 1] = score
    members[2 * i + 2] = before .. keys[i]
  end
  redis.call('ZADD', log, unpack(members))
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess + TRIM, 1 + excess + TRIM, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess + TRIM)
    redis.call('ZADD', log, '-' .. whole(tonumber(last[2])), '!floor')
  end
  local message = { tonumber(partition), whole(previous), score, keys }
  if is_soft or (settle or 0) > 0 then
    message[5] = is_soft and 1 or 0
    message[6] = settle or 0
  end
  redis.call('PUBLISH', channel, 'k' .. cmsgpack.pack(message))
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

-- An earlier window that ends later still holds: its eviction's reason to distrust the source is not over.
local function window_after(head)
  return math.max(settle, window_of(head, now))
end

local function soften(key)
  local head = read_header(key)
  local window = window_after(head)
  if not head or has(head.flags, EMPTY) then return remove(key, window, now) end
  local flags = bit.bor(bit.band(head.flags, bit.bnot(WAITED + SETTLING)), STALE)
  if window > 0 then
    flags = flags + SETTLING
    set_window(key, head, now + window)
    live_at_least(key, window)
  end
  set_flags(key, flags)
  set_lease(key, 0, 0)
end

local function harden(key)
  local head = read_header(key)
  remove(key, window_after(head), now)
end

begin_even_when_full(log)
local names = {}
for i = 2, #KEYS do
  if is_soft then soften(KEYS[i]) else harden(KEYS[i]) end
  names[i - 1] = ARGV[i + 4]
end
-- The message wakes waiters too.
local previous, seq = record(log, ARGV[3], ARGV[4], names, us, ARGV[5] == '1', is_soft, settle)
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
-- Nor do arguments of commands, which Redis writes with 17 digits.
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
  fill: { name: 'fill', keys: 'n', lua: `--[[ Stores loaded entries, each while its loader still holds the lease.
  KEYS[1..] entries
  ARGV[1] channel   ARGV[2..] for each: token, bytes, life, ms
  Returns now, then for each: the life in ms, at least 1 | 0 not stored, because the lease was lost ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
local TOKEN_AT = 54
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function header_bytes(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  return type(head) == 'string' and #head == HEADER and head or nil
end

local function parse_header(head)
  if not head then return nil end
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

local function read_header(key)
  return parse_header(header_bytes(key))
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

-- What is left of a settle window, ms; 0 when there is none. It ends with the entry's life; with the freshness of one that
-- is stale, which has no other use for that and may be kept longer.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  local length = has(head.flags, STALE) and head.fresh or head.lives
  return math.max(head.created + length - now, 0)
end

-- Says in a stale entry until when its settle window stands.
local function set_window(key, head, ends)
  redis.call('SETRANGE', key, 24, struct.pack('>I5', math.max(ends - head.created, 0)))
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
local channel = ARGV[1]
local now = math.floor(now_us() / 1000)

local created = struct.pack('>I6', now)
-- Larger values are not copied only to stamp them.
local SMALL = 4096
-- How an entry begins that a claim made where nothing was: no value, no window, and nobody waits.
local CLAIMED = MAGIC_AND_FORMAT .. string.char(EMPTY)

local function store(key, bytes, life)
  if #bytes < SMALL then
    redis.call('SET', key, string.sub(bytes, 1, 18) .. created .. string.sub(bytes, 25), 'PX', life)
  else
    redis.call('SET', key, bytes, 'PX', life)
    redis.call('SETRANGE', key, 18, created)
  end
end

local function fill(key, token, bytes, life)
  local found = header_bytes(key)
  -- Mostly it is like this, and told by comparing bytes.
  if found and string.sub(found, 1, 3) == CLAIMED and string.sub(found, TOKEN_AT + 1) == struct.pack('>I6', token) then
    store(key, bytes, life)
    return life
  end

  local head = parse_header(found)
  -- A lease past its deadline still counts: its token is there, so nobody has taken it over.
  if not head or head.token ~= token then return 0 end

  local window = window_of(head, now)
  if window > 0 then life = math.min(life, window) end
  store(key, bytes, life)
  if window > 0 then
    -- What is read in a settle window may be the old value: nobody may keep it longer than the window. The flag stays, so
    -- that a refresh of this entry within the window is limited by it too: created-at plus lives-for is still its end.
    local fresh, stale, lives = struct.unpack('>I5I5I5', bytes, 25)
    lives = math.min(lives, life)
    redis.call('SETRANGE', key, 24, struct.pack('>I5I5I5', math.min(fresh, life), math.min(stale, life), lives))
    if lives == window then set_flags(key, bit.bor(string.byte(bytes, 3), SETTLING)) end
  end
  -- The full key follows the hash tag.
  if has(head.flags, WAITED) then wake(channel, string.sub(key, string.find(key, '}', 1, true) + 2)) end
  return life
end

local reply = { now }
for i = 1, #KEYS do
  local a = 3 * i - 1
  reply[i + 1] = fill(KEYS[i], tonumber(ARGV[a]), ARGV[a + 1], tonumber(ARGV[a + 2]))
end
return reply
` },
  limitAdjust: { name: 'limit-adjust', keys: 'n', lua: `--[[ Gives points of a key back without saying whose, or sets its count; and says so to everybody. Permits of concurrency
  policies belong to somebody, and are left alone.
  KEYS[1..] the states of the policies
  ARGV[1] now, us, for tests   ARGV[2] the rule, JSON   ARGV[3] 'reward' or 'set'   ARGV[4] points   ARGV[5] channel
  ARGV[6] message
  Returns {the most points that a policy gave back, or has now} | {-1, now, us} the calendar's edges do not reach ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
-- What the algorithms have in common. Each is a function that makes an object for one policy; \`read\` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first \`length\` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the \`from\`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For what cannot have been written here; the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
-- Never more than the limit in any window: the stamps of the latest admissions in a string, oldest first.
--
-- A call of cost c fits at the time when the (limit - c + 1)-th newest stamp has left the window: one look, however many
-- there are. Nothing is admitted before what was admitted last, so no later window holds more than the one that ends with
-- the newest stamp. A string and not a list, because one GET takes less time than three looks into a list.
--
-- State: time and moment of writing of the latest reservation, when it expires, the largest limit that anything was admitted
-- under since nothing counted last, then the stamps.
local function exact_algorithm(limit, window)
  local head, width = 32, 8
  -- Less than this is read at once; more, stamp by stamp.
  local long = 4096
  local edge = now - window
  local self = { capacity = limit }
  -- Of the key: its bytes if they were read at once, how many stamps there are, the newest, and how many are dead.
  local key, bytes, length, newest, dead
  -- All stamps as numbers, and how many of which were given back; for what is written by \`flush\`.
  local stamps, given, is_given_back = nil, {}, false

  local function stamp_at(i)
    local from = head + width * i
    if bytes then return (unpacked('>d', bytes, from + 1)) end
    return (unpacked('>d', call('GETRANGE', key, from, from + width - 1)))
  end

  -- Time and moment of writing of the latest reservation, when the key expires, and the largest limit.
  local function header()
    return unpacked('>dddd', bytes or call('GETRANGE', key, '0', '31'))
  end

  -- The bytes of the stamps from the i-th on.
  local function stamps_from(i)
    if bytes then return string.sub(bytes, head + width * i + 1) end
    return call('GETRANGE', key, head + width * i, '-1')
  end

  -- How many of the oldest stamps have left the window that ends now. Only dropped when they are the greater part, and not
  -- when a reservation leaves them behind: it may be taken back, and then they count again.
  local function count_dead()
    if length == 0 or stamp_at(0) > edge then return 0 end
    local low, high = 0, length
    while high - low > 1 do
      local middle = floor((low + high) / 2)
      if stamp_at(middle) <= edge then low = middle else high = middle end
    end
    return high
  end

  -- Writes it all anew.
  local function save(reserved, written, most, stamps)
    local expires = now + with_slack(newest + window - now)
    bytes = pack('>dddd', reserved, written, expires, most) .. stamps
    length = #stamps / width
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- The server's clock was set back: everything happened at least that much earlier on the new scale.
  local function move_back(by, reserved, written, most)
    local moved = numbers_in(stamps_from(0), 1)
    for i = 1, #moved do moved[i] = max(0, moved[i] - by) end
    newest = max(0, newest - by)
    save(max(0, reserved - by), max(0, written - by), most, packed(moved, #moved))
  end

  function self.read(at_key)
    key, bytes, length, newest, dead = at_key, nil, 0, nil, nil
    bytes = call('GETRANGE', key, '-4096', '-1')
    local size = #bytes
    if size == 0 then return end
    if size == long then
      bytes, size = nil, call('STRLEN', key)
    end
    length = (size - head) / width
    if length < 1 or length % 1 ~= 0 then spoilt() end
    newest = stamp_at(length - 1)
    if newest <= now then return end
    -- Ahead of now: it was reserved, or the clock was set back.
    local reserved, written, _, most = header()
    local wrote = newest == reserved and written or newest
    if wrote > now then move_back(wrote - now, reserved, written, most) end
  end

  function self.earliest(cost)
    if not newest then return now end
    local at = newest > now and newest or now
    local leaving = length + cost - limit - 1
    if leaving < 0 then return at end
    return max(at, stamp_at(leaving) + window)
  end

  function self.take(cost, at)
    local added = pack('>d', at)
    if cost > 1 then added = string.rep(added, cost) end
    dead = newest and count_dead() or 0
    local is_new, drops = not newest, dead * 2 >= length + cost
    local reserved, written, expires, most = 0, 0, 0, limit
    if not is_new then reserved, written, expires, most = header() end
    local largest = dead == length and limit or max(most, limit)
    newest = at
    if is_new or drops then
      if at > now then reserved, written = at, now end
      save(reserved, written, largest, (is_new and '' or stamps_from(dead)) .. added)
      dead = 0
      return
    end
    call('APPEND', key, added)
    length, bytes = length + cost, nil
    if at > now then call('SETRANGE', key, '0', pack('>dd', at, now)) end
    if largest ~= most then call('SETRANGE', key, '24', pack('>d', largest)) end
    if at + window > expires then
      expires = now + with_slack(at + window - now)
      call('SETRANGE', key, '16', pack('>d', expires))
      call('PEXPIRE', key, life_of(expires - now))
    end
  end

  function self.penalize(cost)
    self.take(cost, max(now, newest or 0))
    local reserved, written, _, most = header()
    if length < 2 * most then return end
    -- No more than the newest ones can matter; as many as the largest limit, which may come back.
    save(reserved, written, most, stamps_from(length - most))
    dead = nil
  end

  function self.standing()
    if not newest then return limit, 0 end
    dead = dead or count_dead()
    return max(0, limit - length + dead), max(0, newest + window - now)
  end

  -- How many stamps are not after a time.
  local function count_until(at)
    local low, high = 0, length
    while low < high do
      local middle = floor((low + high) / 2)
      if stamps[middle + 1] <= at then low = middle + 1 else high = middle end
    end
    return low
  end

  -- Written by \`flush\`, so that many can be given back at once.
  function self.refund(cost, at)
    if not newest or at <= edge then return false end
    stamps = stamps or numbers_in(stamps_from(0), 1)
    local before = given[at] or 0
    local present, last = 0, count_until(at)
    for i = last, max(1, last - before - cost + 1), -1 do
      if stamps[i] ~= at then break end
      present = present + 1
    end
    if present <= before then return false end
    given[at] = math.min(present, before + cost)
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not newest then return 0 end
    stamps = numbers_in(stamps_from(0), 1)
    local count = math.min(points, length - count_dead())
    for i = length, length - count + 1, -1 do given[stamps[i]] = (given[stamps[i]] or 0) + 1 end
    is_given_back = count > 0
    return count
  end

  function self.flush()
    if not is_given_back then return end
    local kept, first = {}, length
    for i = length, 1, -1 do
      local left = given[stamps[i]] or 0
      if left > 0 then
        given[stamps[i]] = left - 1
      else
        kept[first], first = stamps[i], first - 1
      end
    end
    if first == length then return call('UNLINK', key) end
    local reserved, written, _, most = header()
    newest = kept[length]
    if newest > now then reserved, written = newest, now end
    local remaining = {}
    for i = first + 1, length do remaining[i - first] = kept[i] end
    save(reserved, written, most, packed(remaining, length - first))
  end

  return self
end
-- Never more than the limit in any window: counts by slice of time, newest first.
--
-- A window of B slices touches at most B + 1 of them; all of those are counted, so what is let in never exceeds the limit,
-- and at least limit * B / (B + 1) get in. State: slice width, slices a window, when written, when it expires, number of
-- the newest slice, the sum of all that counted when written, and the counts from the newest slice to the oldest one.
--
-- Where calls wait for their turn, slices lie ahead by the thousand. So a call reads the newest ones only, writes a count in
-- place or puts a new one before the others as they are, and takes the sum as it was written while no slice has passed.
local function window_algorithm(limit, slice, slices)
  local current = floor(now / slice)
  local oldest = current - slices
  local header, layout = 48, '>ddddddd'
  -- Nobody reserves as far ahead as this many slices.
  local furthest = current + 262144
  local self = { capacity = limit }
  -- Of the key: its bytes, the newest slice and its count (absent when nothing counts), what was admitted in the window that
  -- ends now, and the counts as far as they were read.
  local key, bytes, expires, top, top_count, used, counts
  local is_given_back = false

  local function length()
    return (#bytes - header) / 8
  end

  -- Reads the newest \`most\` counts, or all.
  local function load_counts(most)
    local count = math.min(most or length(), length())
    if #counts >= count then return end
    counts = numbers_in(string.sub(bytes, 1, header + 8 * count), header + 1)
    counts[1] = top_count
  end

  local function count_of(number)
    if number > top then return 0 end
    return counts[top - number + 1] or 0
  end

  -- The sum of all counts from a slice on that were read.
  local function sum_from(first)
    local sum = 0
    for i = 1, math.min(#counts, top - first + 1) do sum = sum + counts[i] end
    return sum
  end

  -- Writes it all anew; \`older\` are the bytes of the counts behind those that were read.
  local function save_all(older)
    expires = now + with_slack((top + slices + 1) * slice - now)
    bytes = pack('>dddddd', slice, slices, now, expires, top, used) .. packed(counts, #counts) .. older
    top_count = counts[1]
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- Adds to a slice that is not older than the newest one.
  local function add(number, cost)
    used = used + cost
    if number == top and (top + slices + 1) * slice <= expires then
      top_count = top_count + cost
      counts[1] = top_count
      call('SETRANGE', key, '0', pack(layout, slice, slices, now, expires, top, used, top_count))
      return
    end
    if number == top then
      load_counts()
      counts[1] = top_count + cost
      return save_all('')
    end
    -- What does not count any more is left behind.
    local kept = top and max(0, math.min(length(), top - oldest + 1)) or 0
    counts = { cost }
    local older = ''
    if kept > 0 then
      for _ = top + 1, number - 1 do counts[#counts + 1] = 0 end
      older = pack('>d', top_count) .. string.sub(bytes, header + 9, header + 8 * kept)
    end
    top = number
    save_all(older)
  end

  -- Slices of another width cannot be told apart any more: all that still counts is taken to be in one slice, the latest
  -- it can have been in.
  local function put_in_one(width, per_window)
    local present = floor(now / width)
    local sum = sum_from(present - per_window)
    local latest = now
    if top > present then latest = (top + 1) * width - 1 end
    top, counts = nil, {}
    if sum > 0 then top, counts = floor(latest / slice), { sum } end
  end

  -- What does not go on as it was written.
  local function repair(width, per_window, by)
    load_counts()
    -- The server's clock was set back; see exact.
    if by > 0 then top = top - floor(by / width) end
    if width ~= slice then put_in_one(width, per_window) end
    if not top then return call('UNLINK', key) end
    used = sum_from(oldest)
    if by > 0 or width ~= slice then save_all('') end
  end

  function self.read(at_key)
    key, top, used, counts = at_key, nil, 0, {}
    bytes = call('GET', key)
    if not bytes then return end
    if #bytes < header + 8 or #bytes % 8 ~= 0 then spoilt() end
    local width, per_window, written, sum
    width, per_window, written, expires, top, sum, top_count = unpacked(layout, bytes)
    local newest = top * width - max(0, written - now)
    if not (width > 0 and newest / slice < furthest) then spoilt() end
    if width == slice and per_window == slices and written <= now and floor(written / slice) == current then
      used = sum
    else
      repair(width, per_window, written - now)
    end
  end

  function self.earliest(cost)
    if used + cost <= limit and (not top or top <= current) then return now end
    load_counts(slices + 1)
    local at = max(current, top)
    local sum = sum_from(at - slices)
    -- Once all have left the sum is 0, and the cost is no more than the limit.
    local last = at + slices
    while sum + cost > limit and at <= last do
      sum = sum - count_of(at - slices)
      at = at + 1
    end
    return max(now, at * slice)
  end

  function self.take(cost, at)
    add(floor(at / slice), cost)
  end

  function self.penalize(cost)
    local number = max(current, top or 0)
    local before = number == top and top_count or 0
    add(number, max(before, math.min(limit, before + cost)) - before)
  end

  function self.standing()
    if not top then return limit, 0 end
    return max(0, limit - used), max(0, (top + slices + 1) * slice - now)
  end

  -- Written by \`flush\`, so that many can be given back at once.
  function self.refund(cost, at)
    local number = floor(at / slice)
    if not top or number < oldest then return false end
    load_counts()
    if count_of(number) < cost then return false end
    local index = top - number + 1
    counts[index] = counts[index] - cost
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not top then return 0 end
    load_counts()
    local left = points
    for i = 1, math.min(#counts, top - oldest + 1) do
      local given = math.min(left, counts[i])
      counts[i], left = counts[i] - given, left - given
    end
    is_given_back = left < points
    return points - left
  end

  function self.flush()
    if not is_given_back then return end
    local first, last = 1, math.min(#counts, top - oldest + 1)
    while first <= last and counts[first] == 0 do first = first + 1 end
    if first > last then return call('UNLINK', key) end
    top = top - first + 1
    local kept = {}
    for i = first, last do kept[i - first + 1] = counts[i] end
    counts = kept
    used = sum_from(oldest)
    save_all('')
  end

  return self
end
-- A bucket of \`burst\` permits that gets one back every interval (GCRA): one number, the time when the bucket is full again.
-- In a window it lets in \`burst\` + window / interval - 1 at most.
--
-- Under another interval the same time stands for another number of calls, so the state says under which it was written.
-- After a change the bucket keeps its debt in calls, as far as it can hold it; and until all that the old bucket let in has
-- left the window, that much (the most it can have been) counts beside what the new one lets in, turns after that time too:
-- the limit may be changed again before they come.
--
-- State: when the bucket is full, when written, when it expires, time of the latest admission and its cost if it can be
-- taken back, interval and burst, and what counts from before a change, and until when.
local function smooth_algorithm(interval, burst, window)
  local layout, width = '>ddddddddd', 72
  local most = burst + math.ceil(window / interval) - 1
  local self = { capacity = burst }
  local key, full, expires, last, last_cost, carried, carried_until
  local in_interval, in_burst

  local function save()
    local bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
    local ends = max(full, last + window, carried_until)
    if ends > expires then
      expires = now + with_slack(ends - now)
      bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
      call('SET', key, bytes, 'PX', life_of(expires - now))
    else
      call('SETRANGE', key, '0', bytes)
    end
  end

  local function adopt()
    if carried_until <= now then
      carried = 0
      -- A call that is still in the window came when the bucket had at least its present debt less than a window ago.
      if last + window > now then carried = max(0, math.ceil((full - now + window) / in_interval) - 1) end
    end
    carried_until = last + window
    local from = max(now, last)
    local debt = math.ceil(max(0, full - from) * interval / in_interval)
    full = from + math.min(debt, burst * interval)
    in_interval, in_burst = interval, burst
  end

  function self.read(at_key)
    key, full, expires, last, last_cost, carried, carried_until = at_key, 0, 0, 0, 0, 0, 0
    in_interval, in_burst = interval, burst
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= width then spoilt() end
    local written
    full, written, expires, last, last_cost, in_interval, in_burst, carried, carried_until = unpacked(layout, bytes)
    local by, is_same = max(0, written - now), in_interval == interval and in_burst == burst
    if by == 0 and is_same then
      if carried_until <= now then carried, carried_until = 0, 0 end
      return
    end
    -- The server's clock was set back; see exact.
    full, last, carried_until = max(0, full - by), max(0, last - by), max(0, carried_until - by)
    if not is_same then adopt() end
    if carried_until <= now then carried, carried_until = 0, 0 end
    save()
  end

  function self.earliest(cost)
    local at = full + (cost - burst) * interval
    if at < now then at = now end
    if at < carried_until and carried + cost > most then return carried_until end
    return at
  end

  function self.take(cost, at)
    full = (full > at and full or at) + cost * interval
    if carried_until > now then carried = carried + cost end
    last, last_cost = max(last, at), at < last and 0 or cost
    save()
  end

  -- The bucket is emptied, and not more: else who keeps trying would stay out for longer than a full refill.
  function self.penalize(cost)
    local charged = max(full, now) + cost * interval
    full = max(full, math.min(charged, now + burst * interval))
    last_cost = 0
    save()
  end

  function self.standing()
    local missing = full > now and full - now or 0
    local left = max(0, floor(burst - missing / interval))
    if carried_until <= now then return left, missing end
    return max(0, math.min(left, most - carried)), max(missing, carried_until - now)
  end

  -- After a later admission nobody can say what of the debt is whose. Turns ahead follow each other without a pause, so the
  -- last of them is known by when it comes; once it is given back, the one before it is the last.
  function self.refund(cost, at)
    local is_last_turn = at > now and at == full - burst * interval
    if full <= now or not (is_last_turn or last == at and last_cost == cost) then return false end
    carried = max(0, carried - cost)
    full, last_cost = full - cost * interval, 0
    last = math.min(last, max(now, full - burst * interval, carried_until))
    save()
    return true
  end

  function self.reward(points)
    if full <= now then return 0 end
    local given = math.min(points, math.ceil((full - now) / interval))
    full, last_cost, carried = max(now, full - given * interval), 0, max(0, carried - given)
    save()
    return given
  end

  return self
end
-- So many per period. State: when the period begins, when written, when it expires, how much was admitted in it, and the
-- largest limit since nothing counted last.
--
-- A period of \`fixed\` begins with the first admission after the last one; those of \`calendar\` begin at the edges that came
-- with the rule, because Redis knows no time zones. A reservation opens the next period ahead of time.
local function fixed_algorithm(limit, window, edges)
  local layout = '>ddddd'
  local self = { capacity = limit }
  -- Of the key: the present period, or one ahead that was reserved in; absent when nothing counts.
  local key, start, count, expires, most

  -- Where the period of a time begins; nil for what is long over.
  local function start_of(at)
    if not edges then return at end
    local found
    for i = 1, #edges do
      if edges[i] <= at then found = edges[i] end
    end
    return found
  end

  local function end_of(from)
    if not edges then return from + window end
    for i = 1, #edges do
      if edges[i] > from then return edges[i] end
    end
    -- Beyond what came with the rule: no reservation reaches that far.
    return from + edges[#edges] - edges[#edges - 1]
  end

  local function save()
    local ends = end_of(start)
    if ends > expires then
      expires = ends
      call('SET', key, pack(layout, start, now, expires, count, most), 'PX', life_of(ends - now))
    else
      call('SETRANGE', key, '0', pack(layout, start, now, expires, count, most))
    end
  end

  function self.read(at_key)
    key, start, expires, most = at_key, nil, 0, limit
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= 40 then spoilt() end
    local begun, written, admitted, largest
    begun, written, expires, admitted, largest = unpacked(layout, bytes)
    -- The server's clock was set back: what was admitted before now counts now.
    local by = max(0, written - now)
    begun = start_of(max(0, begun - by))
    if edges and by > 0 then begun = max(begun or 0, start_of(now)) end
    if not begun or end_of(begun) <= now then return end
    start, count, most = begun, admitted, max(largest, limit)
    if by > 0 then save() end
  end

  function self.earliest(cost)
    if not start then return now end
    if count + cost > limit then return end_of(start) end
    return start > now and start or now
  end

  function self.take(cost, at)
    if start and at < end_of(start) then
      count = count + cost
    else
      start, count = start_of(at), cost
    end
    save()
  end

  function self.penalize(cost)
    if not start then start, count = start_of(now), 0 end
    count = max(count, math.min(limit, count + cost))
    save()
  end

  function self.standing()
    if not start then return limit, 0 end
    -- When the next period is open already, this one is used up.
    local left = start > now and 0 or max(0, limit - count)
    return left, end_of(start) - now
  end

  function self.refund(cost, at)
    if not start or at < start or at >= end_of(start) or count < cost then return false end
    count = count - cost
    -- A period ahead in which nothing is reserved any more is closed again: it was opened because the one before was full.
    if count == 0 and start > now then
      start, count = edges and start_of(start - 1) or start - window, most
    end
    save()
    return true
  end

  function self.reward(points)
    if not start then return 0 end
    local given = math.min(points, count)
    count = count - given
    save()
    return given
  end

  return self
end
-- So many at the same time: permits in a sorted set by when their lease ends. '!written' has a score below 0.
local function concurrency_algorithm(limit, lease)
  local self = { capacity = limit }
  local key, live

  local function last_end()
    local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
    return last[2] and tonumber(last[2]) or 0
  end

  local function save()
    call('ZADD', key, whole(-now), '!written')
    call('PEXPIRE', key, life_of(last_end() - now))
  end

  -- The server's clock was set back; see exact.
  local function move_back(by)
    local members = call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #members, 2 do
      local ends = tonumber(members[i + 1])
      if ends > 0 then call('ZADD', key, whole(max(1, ends - by)), members[i]) end
    end
    save()
  end

  local function drop_ended()
    call('ZREMRANGEBYSCORE', key, '(0', whole(now))
  end

  local function hold(cost, permit, ends)
    for i = 1, cost do call('ZADD', key, whole(ends), permit .. ':' .. i) end
    save()
  end

  -- False when one of the permits has ended.
  local function is_held(cost, permit)
    for i = 1, cost do
      local ends = call('ZSCORE', key, permit .. ':' .. i)
      if not ends or tonumber(ends) <= now then return false end
    end
    return true
  end

  function self.read(at_key)
    key, live = at_key, 0
    local written = call('ZSCORE', key, '!written')
    if not written then return end
    local by = -tonumber(written) - now
    if by > 0 then move_back(by) end
    live = call('ZCOUNT', key, '(' .. whole(now), '+inf')
  end

  -- When enough leases will have ended, if nobody gives back or renews.
  function self.earliest(cost)
    local excess = live + cost - limit
    if excess <= 0 then return now end
    local found = call('ZRANGEBYSCORE', key, '(' .. whole(now), '+inf',
      'WITHSCORES', 'LIMIT', excess - 1, 1)
    return tonumber(found[2])
  end

  function self.take(cost, at, permit)
    drop_ended()
    hold(cost, permit, at + lease)
    live = live + cost
  end

  -- A refused call holds nothing.
  function self.penalize() end

  function self.standing()
    return max(0, limit - live), live > 0 and last_end() - now or 0
  end

  function self.renew(cost, permit)
    if not is_held(cost, permit) then return false end
    hold(cost, permit, now + lease)
    return true
  end

  function self.refund(cost, _, permit)
    if not is_held(cost, permit) then return false end
    for i = 1, cost do call('ZREM', key, permit .. ':' .. i) end
    drop_ended()
    if last_end() <= now then call('UNLINK', key) end
    return true
  end

  return self
end
-- An object for each policy of a rule. Nothing when the calendar's edges do not reach to now: it cannot be read then.
local function algorithms_of(policies)
  local makers = {
    exact = function(policy) return exact_algorithm(policy.limit, policy.window) end,
    window = function(policy) return window_algorithm(policy.limit, policy.slice, policy.slices) end,
    smooth = function(policy) return smooth_algorithm(policy.interval, policy.burst, policy.window) end,
    fixed = function(policy) return fixed_algorithm(policy.limit, policy.window) end,
    calendar = function(policy) return fixed_algorithm(policy.limit, nil, policy.edges) end,
    concurrency = function(policy) return concurrency_algorithm(policy.limit, policy.lease) end
  }
  local algorithms = {}
  for i = 1, #policies do
    local edges = policies[i].edges
    if edges and (now < edges[1] or now >= edges[#edges - 1]) then return nil end
    algorithms[i] = makers[policies[i].algorithm](policies[i])
  end
  return algorithms
end
local algorithms = algorithms_of(cjson.decode(ARGV[2]).policies)
if not algorithms then return { -1, now } end
local points, most = tonumber(ARGV[4]), 0

local function reward(algorithm, key)
  algorithm.read(key)
  local given = algorithm.reward(points)
  if algorithm.flush then algorithm.flush() end
  return given
end

local function set(algorithm, key)
  redis.call('UNLINK', key)
  algorithm.read(key)
  local count = math.min(points, algorithm.capacity)
  if count > 0 then algorithm.take(count, now, '') end
  return count
end

local adjust = ARGV[3] == 'set' and set or reward
for i, algorithm in ipairs(algorithms) do
  if algorithm.reward then most = max(most, adjust(algorithm, KEYS[i])) end
end
redis.call('PUBLISH', ARGV[5], ARGV[6])
return { most }
` },
  limitBlock: { name: 'limit-block', keys: 1, lua: `--[[ Has a key admit nothing for a time, or again what its limit says; and says so to everybody.
  KEYS[1] the block
  ARGV[1] now, us, for tests   ARGV[2] how long, us; 0 to end a block   ARGV[3] channel   ARGV[4] message
  Returns 1 ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
-- What the algorithms have in common. Each is a function that makes an object for one policy; \`read\` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first \`length\` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the \`from\`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For what cannot have been written here; the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
-- Blocks: until when a key admits nothing, whatever is left. State: when it ends, the policy that it is for (from 1 on), and
-- how long it was meant to last.
local block_layout = '>I7I2I7'
-- Mostly nobody is blocked, and then one look at all keys of a script will do.
local has_blocks = false

-- Looks whether any call's key is blocked; that of a block is the last of the \`stride\` keys of each call.
local function look_for_blocks(stride)
  local keys = {}
  for i = stride, #KEYS, stride do keys[#keys + 1] = KEYS[i] end
  for from = 1, #keys, at_a_time do
    local to = math.min(#keys, from + at_a_time - 1)
    if call('EXISTS', unpack(keys, from, to)) > 0 then has_blocks = true end
  end
end

local function block_until(key, ends, by)
  call('SET', key, pack(block_layout, ends, by, ends - now), 'PX', life_of(ends - now))
  has_blocks = true
end

-- Until when a key is blocked, and for which of \`count\` policies.
local function block_of(key, count)
  if not has_blocks then return 0, 0 end
  local bytes = call('GET', key)
  if not bytes then return 0, 0 end
  if #bytes ~= 16 then spoilt() end
  local ends, by, length = unpacked(block_layout, bytes)
  -- Where the server's clock was set back: a block is never longer than it was meant to be.
  return math.min(ends, now + length), max(1, math.min(by, count))
end
local length = tonumber(ARGV[2])
if length > 0 then block_until(KEYS[1], now + length, 1) else call('UNLINK', KEYS[1]) end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
` },
  limitDecide: { name: 'limit-decide', keys: 'n', lua: `--[[ Decides calls under one rule, one after the other: all policies admit a call, or none is changed by it.
  KEYS[1..] for each call: the states of the policies, then the block
  ARGV[1] now, us, for tests   ARGV[2] the rule, JSON   ARGV[3..] for each call: its cost, then '?' to look only or ':permit'
  Returns doubles, packed (a list of integers costs as much as the decisions): now, then for each call: 1 admitted |
  0 refused | -1 too dear | -2 failed, us to wait, refusing policy or -1, and for each policy what is left, us until all of it
  is back; then a line of text for each that failed; only now when the calendar's edges do not reach ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
-- What the algorithms have in common. Each is a function that makes an object for one policy; \`read\` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first \`length\` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the \`from\`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For what cannot have been written here; the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
-- Never more than the limit in any window: the stamps of the latest admissions in a string, oldest first.
--
-- A call of cost c fits at the time when the (limit - c + 1)-th newest stamp has left the window: one look, however many
-- there are. Nothing is admitted before what was admitted last, so no later window holds more than the one that ends with
-- the newest stamp. A string and not a list, because one GET takes less time than three looks into a list.
--
-- State: time and moment of writing of the latest reservation, when it expires, the largest limit that anything was admitted
-- under since nothing counted last, then the stamps.
local function exact_algorithm(limit, window)
  local head, width = 32, 8
  -- Less than this is read at once; more, stamp by stamp.
  local long = 4096
  local edge = now - window
  local self = { capacity = limit }
  -- Of the key: its bytes if they were read at once, how many stamps there are, the newest, and how many are dead.
  local key, bytes, length, newest, dead
  -- All stamps as numbers, and how many of which were given back; for what is written by \`flush\`.
  local stamps, given, is_given_back = nil, {}, false

  local function stamp_at(i)
    local from = head + width * i
    if bytes then return (unpacked('>d', bytes, from + 1)) end
    return (unpacked('>d', call('GETRANGE', key, from, from + width - 1)))
  end

  -- Time and moment of writing of the latest reservation, when the key expires, and the largest limit.
  local function header()
    return unpacked('>dddd', bytes or call('GETRANGE', key, '0', '31'))
  end

  -- The bytes of the stamps from the i-th on.
  local function stamps_from(i)
    if bytes then return string.sub(bytes, head + width * i + 1) end
    return call('GETRANGE', key, head + width * i, '-1')
  end

  -- How many of the oldest stamps have left the window that ends now. Only dropped when they are the greater part, and not
  -- when a reservation leaves them behind: it may be taken back, and then they count again.
  local function count_dead()
    if length == 0 or stamp_at(0) > edge then return 0 end
    local low, high = 0, length
    while high - low > 1 do
      local middle = floor((low + high) / 2)
      if stamp_at(middle) <= edge then low = middle else high = middle end
    end
    return high
  end

  -- Writes it all anew.
  local function save(reserved, written, most, stamps)
    local expires = now + with_slack(newest + window - now)
    bytes = pack('>dddd', reserved, written, expires, most) .. stamps
    length = #stamps / width
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- The server's clock was set back: everything happened at least that much earlier on the new scale.
  local function move_back(by, reserved, written, most)
    local moved = numbers_in(stamps_from(0), 1)
    for i = 1, #moved do moved[i] = max(0, moved[i] - by) end
    newest = max(0, newest - by)
    save(max(0, reserved - by), max(0, written - by), most, packed(moved, #moved))
  end

  function self.read(at_key)
    key, bytes, length, newest, dead = at_key, nil, 0, nil, nil
    bytes = call('GETRANGE', key, '-4096', '-1')
    local size = #bytes
    if size == 0 then return end
    if size == long then
      bytes, size = nil, call('STRLEN', key)
    end
    length = (size - head) / width
    if length < 1 or length % 1 ~= 0 then spoilt() end
    newest = stamp_at(length - 1)
    if newest <= now then return end
    -- Ahead of now: it was reserved, or the clock was set back.
    local reserved, written, _, most = header()
    local wrote = newest == reserved and written or newest
    if wrote > now then move_back(wrote - now, reserved, written, most) end
  end

  function self.earliest(cost)
    if not newest then return now end
    local at = newest > now and newest or now
    local leaving = length + cost - limit - 1
    if leaving < 0 then return at end
    return max(at, stamp_at(leaving) + window)
  end

  function self.take(cost, at)
    local added = pack('>d', at)
    if cost > 1 then added = string.rep(added, cost) end
    dead = newest and count_dead() or 0
    local is_new, drops = not newest, dead * 2 >= length + cost
    local reserved, written, expires, most = 0, 0, 0, limit
    if not is_new then reserved, written, expires, most = header() end
    local largest = dead == length and limit or max(most, limit)
    newest = at
    if is_new or drops then
      if at > now then reserved, written = at, now end
      save(reserved, written, largest, (is_new and '' or stamps_from(dead)) .. added)
      dead = 0
      return
    end
    call('APPEND', key, added)
    length, bytes = length + cost, nil
    if at > now then call('SETRANGE', key, '0', pack('>dd', at, now)) end
    if largest ~= most then call('SETRANGE', key, '24', pack('>d', largest)) end
    if at + window > expires then
      expires = now + with_slack(at + window - now)
      call('SETRANGE', key, '16', pack('>d', expires))
      call('PEXPIRE', key, life_of(expires - now))
    end
  end

  function self.penalize(cost)
    self.take(cost, max(now, newest or 0))
    local reserved, written, _, most = header()
    if length < 2 * most then return end
    -- No more than the newest ones can matter; as many as the largest limit, which may come back.
    save(reserved, written, most, stamps_from(length - most))
    dead = nil
  end

  function self.standing()
    if not newest then return limit, 0 end
    dead = dead or count_dead()
    return max(0, limit - length + dead), max(0, newest + window - now)
  end

  -- How many stamps are not after a time.
  local function count_until(at)
    local low, high = 0, length
    while low < high do
      local middle = floor((low + high) / 2)
      if stamps[middle + 1] <= at then low = middle + 1 else high = middle end
    end
    return low
  end

  -- Written by \`flush\`, so that many can be given back at once.
  function self.refund(cost, at)
    if not newest or at <= edge then return false end
    stamps = stamps or numbers_in(stamps_from(0), 1)
    local before = given[at] or 0
    local present, last = 0, count_until(at)
    for i = last, max(1, last - before - cost + 1), -1 do
      if stamps[i] ~= at then break end
      present = present + 1
    end
    if present <= before then return false end
    given[at] = math.min(present, before + cost)
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not newest then return 0 end
    stamps = numbers_in(stamps_from(0), 1)
    local count = math.min(points, length - count_dead())
    for i = length, length - count + 1, -1 do given[stamps[i]] = (given[stamps[i]] or 0) + 1 end
    is_given_back = count > 0
    return count
  end

  function self.flush()
    if not is_given_back then return end
    local kept, first = {}, length
    for i = length, 1, -1 do
      local left = given[stamps[i]] or 0
      if left > 0 then
        given[stamps[i]] = left - 1
      else
        kept[first], first = stamps[i], first - 1
      end
    end
    if first == length then return call('UNLINK', key) end
    local reserved, written, _, most = header()
    newest = kept[length]
    if newest > now then reserved, written = newest, now end
    local remaining = {}
    for i = first + 1, length do remaining[i - first] = kept[i] end
    save(reserved, written, most, packed(remaining, length - first))
  end

  return self
end
-- Never more than the limit in any window: counts by slice of time, newest first.
--
-- A window of B slices touches at most B + 1 of them; all of those are counted, so what is let in never exceeds the limit,
-- and at least limit * B / (B + 1) get in. State: slice width, slices a window, when written, when it expires, number of
-- the newest slice, the sum of all that counted when written, and the counts from the newest slice to the oldest one.
--
-- Where calls wait for their turn, slices lie ahead by the thousand. So a call reads the newest ones only, writes a count in
-- place or puts a new one before the others as they are, and takes the sum as it was written while no slice has passed.
local function window_algorithm(limit, slice, slices)
  local current = floor(now / slice)
  local oldest = current - slices
  local header, layout = 48, '>ddddddd'
  -- Nobody reserves as far ahead as this many slices.
  local furthest = current + 262144
  local self = { capacity = limit }
  -- Of the key: its bytes, the newest slice and its count (absent when nothing counts), what was admitted in the window that
  -- ends now, and the counts as far as they were read.
  local key, bytes, expires, top, top_count, used, counts
  local is_given_back = false

  local function length()
    return (#bytes - header) / 8
  end

  -- Reads the newest \`most\` counts, or all.
  local function load_counts(most)
    local count = math.min(most or length(), length())
    if #counts >= count then return end
    counts = numbers_in(string.sub(bytes, 1, header + 8 * count), header + 1)
    counts[1] = top_count
  end

  local function count_of(number)
    if number > top then return 0 end
    return counts[top - number + 1] or 0
  end

  -- The sum of all counts from a slice on that were read.
  local function sum_from(first)
    local sum = 0
    for i = 1, math.min(#counts, top - first + 1) do sum = sum + counts[i] end
    return sum
  end

  -- Writes it all anew; \`older\` are the bytes of the counts behind those that were read.
  local function save_all(older)
    expires = now + with_slack((top + slices + 1) * slice - now)
    bytes = pack('>dddddd', slice, slices, now, expires, top, used) .. packed(counts, #counts) .. older
    top_count = counts[1]
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- Adds to a slice that is not older than the newest one.
  local function add(number, cost)
    used = used + cost
    if number == top and (top + slices + 1) * slice <= expires then
      top_count = top_count + cost
      counts[1] = top_count
      call('SETRANGE', key, '0', pack(layout, slice, slices, now, expires, top, used, top_count))
      return
    end
    if number == top then
      load_counts()
      counts[1] = top_count + cost
      return save_all('')
    end
    -- What does not count any more is left behind.
    local kept = top and max(0, math.min(length(), top - oldest + 1)) or 0
    counts = { cost }
    local older = ''
    if kept > 0 then
      for _ = top + 1, number - 1 do counts[#counts + 1] = 0 end
      older = pack('>d', top_count) .. string.sub(bytes, header + 9, header + 8 * kept)
    end
    top = number
    save_all(older)
  end

  -- Slices of another width cannot be told apart any more: all that still counts is taken to be in one slice, the latest
  -- it can have been in.
  local function put_in_one(width, per_window)
    local present = floor(now / width)
    local sum = sum_from(present - per_window)
    local latest = now
    if top > present then latest = (top + 1) * width - 1 end
    top, counts = nil, {}
    if sum > 0 then top, counts = floor(latest / slice), { sum } end
  end

  -- What does not go on as it was written.
  local function repair(width, per_window, by)
    load_counts()
    -- The server's clock was set back; see exact.
    if by > 0 then top = top - floor(by / width) end
    if width ~= slice then put_in_one(width, per_window) end
    if not top then return call('UNLINK', key) end
    used = sum_from(oldest)
    if by > 0 or width ~= slice then save_all('') end
  end

  function self.read(at_key)
    key, top, used, counts = at_key, nil, 0, {}
    bytes = call('GET', key)
    if not bytes then return end
    if #bytes < header + 8 or #bytes % 8 ~= 0 then spoilt() end
    local width, per_window, written, sum
    width, per_window, written, expires, top, sum, top_count = unpacked(layout, bytes)
    local newest = top * width - max(0, written - now)
    if not (width > 0 and newest / slice < furthest) then spoilt() end
    if width == slice and per_window == slices and written <= now and floor(written / slice) == current then
      used = sum
    else
      repair(width, per_window, written - now)
    end
  end

  function self.earliest(cost)
    if used + cost <= limit and (not top or top <= current) then return now end
    load_counts(slices + 1)
    local at = max(current, top)
    local sum = sum_from(at - slices)
    -- Once all have left the sum is 0, and the cost is no more than the limit.
    local last = at + slices
    while sum + cost > limit and at <= last do
      sum = sum - count_of(at - slices)
      at = at + 1
    end
    return max(now, at * slice)
  end

  function self.take(cost, at)
    add(floor(at / slice), cost)
  end

  function self.penalize(cost)
    local number = max(current, top or 0)
    local before = number == top and top_count or 0
    add(number, max(before, math.min(limit, before + cost)) - before)
  end

  function self.standing()
    if not top then return limit, 0 end
    return max(0, limit - used), max(0, (top + slices + 1) * slice - now)
  end

  -- Written by \`flush\`, so that many can be given back at once.
  function self.refund(cost, at)
    local number = floor(at / slice)
    if not top or number < oldest then return false end
    load_counts()
    if count_of(number) < cost then return false end
    local index = top - number + 1
    counts[index] = counts[index] - cost
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not top then return 0 end
    load_counts()
    local left = points
    for i = 1, math.min(#counts, top - oldest + 1) do
      local given = math.min(left, counts[i])
      counts[i], left = counts[i] - given, left - given
    end
    is_given_back = left < points
    return points - left
  end

  function self.flush()
    if not is_given_back then return end
    local first, last = 1, math.min(#counts, top - oldest + 1)
    while first <= last and counts[first] == 0 do first = first + 1 end
    if first > last then return call('UNLINK', key) end
    top = top - first + 1
    local kept = {}
    for i = first, last do kept[i - first + 1] = counts[i] end
    counts = kept
    used = sum_from(oldest)
    save_all('')
  end

  return self
end
-- A bucket of \`burst\` permits that gets one back every interval (GCRA): one number, the time when the bucket is full again.
-- In a window it lets in \`burst\` + window / interval - 1 at most.
--
-- Under another interval the same time stands for another number of calls, so the state says under which it was written.
-- After a change the bucket keeps its debt in calls, as far as it can hold it; and until all that the old bucket let in has
-- left the window, that much (the most it can have been) counts beside what the new one lets in, turns after that time too:
-- the limit may be changed again before they come.
--
-- State: when the bucket is full, when written, when it expires, time of the latest admission and its cost if it can be
-- taken back, interval and burst, and what counts from before a change, and until when.
local function smooth_algorithm(interval, burst, window)
  local layout, width = '>ddddddddd', 72
  local most = burst + math.ceil(window / interval) - 1
  local self = { capacity = burst }
  local key, full, expires, last, last_cost, carried, carried_until
  local in_interval, in_burst

  local function save()
    local bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
    local ends = max(full, last + window, carried_until)
    if ends > expires then
      expires = now + with_slack(ends - now)
      bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
      call('SET', key, bytes, 'PX', life_of(expires - now))
    else
      call('SETRANGE', key, '0', bytes)
    end
  end

  local function adopt()
    if carried_until <= now then
      carried = 0
      -- A call that is still in the window came when the bucket had at least its present debt less than a window ago.
      if last + window > now then carried = max(0, math.ceil((full - now + window) / in_interval) - 1) end
    end
    carried_until = last + window
    local from = max(now, last)
    local debt = math.ceil(max(0, full - from) * interval / in_interval)
    full = from + math.min(debt, burst * interval)
    in_interval, in_burst = interval, burst
  end

  function self.read(at_key)
    key, full, expires, last, last_cost, carried, carried_until = at_key, 0, 0, 0, 0, 0, 0
    in_interval, in_burst = interval, burst
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= width then spoilt() end
    local written
    full, written, expires, last, last_cost, in_interval, in_burst, carried, carried_until = unpacked(layout, bytes)
    local by, is_same = max(0, written - now), in_interval == interval and in_burst == burst
    if by == 0 and is_same then
      if carried_until <= now then carried, carried_until = 0, 0 end
      return
    end
    -- The server's clock was set back; see exact.
    full, last, carried_until = max(0, full - by), max(0, last - by), max(0, carried_until - by)
    if not is_same then adopt() end
    if carried_until <= now then carried, carried_until = 0, 0 end
    save()
  end

  function self.earliest(cost)
    local at = full + (cost - burst) * interval
    if at < now then at = now end
    if at < carried_until and carried + cost > most then return carried_until end
    return at
  end

  function self.take(cost, at)
    full = (full > at and full or at) + cost * interval
    if carried_until > now then carried = carried + cost end
    last, last_cost = max(last, at), at < last and 0 or cost
    save()
  end

  -- The bucket is emptied, and not more: else who keeps trying would stay out for longer than a full refill.
  function self.penalize(cost)
    local charged = max(full, now) + cost * interval
    full = max(full, math.min(charged, now + burst * interval))
    last_cost = 0
    save()
  end

  function self.standing()
    local missing = full > now and full - now or 0
    local left = max(0, floor(burst - missing / interval))
    if carried_until <= now then return left, missing end
    return max(0, math.min(left, most - carried)), max(missing, carried_until - now)
  end

  -- After a later admission nobody can say what of the debt is whose. Turns ahead follow each other without a pause, so the
  -- last of them is known by when it comes; once it is given back, the one before it is the last.
  function self.refund(cost, at)
    local is_last_turn = at > now and at == full - burst * interval
    if full <= now or not (is_last_turn or last == at and last_cost == cost) then return false end
    carried = max(0, carried - cost)
    full, last_cost = full - cost * interval, 0
    last = math.min(last, max(now, full - burst * interval, carried_until))
    save()
    return true
  end

  function self.reward(points)
    if full <= now then return 0 end
    local given = math.min(points, math.ceil((full - now) / interval))
    full, last_cost, carried = max(now, full - given * interval), 0, max(0, carried - given)
    save()
    return given
  end

  return self
end
-- So many per period. State: when the period begins, when written, when it expires, how much was admitted in it, and the
-- largest limit since nothing counted last.
--
-- A period of \`fixed\` begins with the first admission after the last one; those of \`calendar\` begin at the edges that came
-- with the rule, because Redis knows no time zones. A reservation opens the next period ahead of time.
local function fixed_algorithm(limit, window, edges)
  local layout = '>ddddd'
  local self = { capacity = limit }
  -- Of the key: the present period, or one ahead that was reserved in; absent when nothing counts.
  local key, start, count, expires, most

  -- Where the period of a time begins; nil for what is long over.
  local function start_of(at)
    if not edges then return at end
    local found
    for i = 1, #edges do
      if edges[i] <= at then found = edges[i] end
    end
    return found
  end

  local function end_of(from)
    if not edges then return from + window end
    for i = 1, #edges do
      if edges[i] > from then return edges[i] end
    end
    -- Beyond what came with the rule: no reservation reaches that far.
    return from + edges[#edges] - edges[#edges - 1]
  end

  local function save()
    local ends = end_of(start)
    if ends > expires then
      expires = ends
      call('SET', key, pack(layout, start, now, expires, count, most), 'PX', life_of(ends - now))
    else
      call('SETRANGE', key, '0', pack(layout, start, now, expires, count, most))
    end
  end

  function self.read(at_key)
    key, start, expires, most = at_key, nil, 0, limit
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= 40 then spoilt() end
    local begun, written, admitted, largest
    begun, written, expires, admitted, largest = unpacked(layout, bytes)
    -- The server's clock was set back: what was admitted before now counts now.
    local by = max(0, written - now)
    begun = start_of(max(0, begun - by))
    if edges and by > 0 then begun = max(begun or 0, start_of(now)) end
    if not begun or end_of(begun) <= now then return end
    start, count, most = begun, admitted, max(largest, limit)
    if by > 0 then save() end
  end

  function self.earliest(cost)
    if not start then return now end
    if count + cost > limit then return end_of(start) end
    return start > now and start or now
  end

  function self.take(cost, at)
    if start and at < end_of(start) then
      count = count + cost
    else
      start, count = start_of(at), cost
    end
    save()
  end

  function self.penalize(cost)
    if not start then start, count = start_of(now), 0 end
    count = max(count, math.min(limit, count + cost))
    save()
  end

  function self.standing()
    if not start then return limit, 0 end
    -- When the next period is open already, this one is used up.
    local left = start > now and 0 or max(0, limit - count)
    return left, end_of(start) - now
  end

  function self.refund(cost, at)
    if not start or at < start or at >= end_of(start) or count < cost then return false end
    count = count - cost
    -- A period ahead in which nothing is reserved any more is closed again: it was opened because the one before was full.
    if count == 0 and start > now then
      start, count = edges and start_of(start - 1) or start - window, most
    end
    save()
    return true
  end

  function self.reward(points)
    if not start then return 0 end
    local given = math.min(points, count)
    count = count - given
    save()
    return given
  end

  return self
end
-- So many at the same time: permits in a sorted set by when their lease ends. '!written' has a score below 0.
local function concurrency_algorithm(limit, lease)
  local self = { capacity = limit }
  local key, live

  local function last_end()
    local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
    return last[2] and tonumber(last[2]) or 0
  end

  local function save()
    call('ZADD', key, whole(-now), '!written')
    call('PEXPIRE', key, life_of(last_end() - now))
  end

  -- The server's clock was set back; see exact.
  local function move_back(by)
    local members = call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #members, 2 do
      local ends = tonumber(members[i + 1])
      if ends > 0 then call('ZADD', key, whole(max(1, ends - by)), members[i]) end
    end
    save()
  end

  local function drop_ended()
    call('ZREMRANGEBYSCORE', key, '(0', whole(now))
  end

  local function hold(cost, permit, ends)
    for i = 1, cost do call('ZADD', key, whole(ends), permit .. ':' .. i) end
    save()
  end

  -- False when one of the permits has ended.
  local function is_held(cost, permit)
    for i = 1, cost do
      local ends = call('ZSCORE', key, permit .. ':' .. i)
      if not ends or tonumber(ends) <= now then return false end
    end
    return true
  end

  function self.read(at_key)
    key, live = at_key, 0
    local written = call('ZSCORE', key, '!written')
    if not written then return end
    local by = -tonumber(written) - now
    if by > 0 then move_back(by) end
    live = call('ZCOUNT', key, '(' .. whole(now), '+inf')
  end

  -- When enough leases will have ended, if nobody gives back or renews.
  function self.earliest(cost)
    local excess = live + cost - limit
    if excess <= 0 then return now end
    local found = call('ZRANGEBYSCORE', key, '(' .. whole(now), '+inf',
      'WITHSCORES', 'LIMIT', excess - 1, 1)
    return tonumber(found[2])
  end

  function self.take(cost, at, permit)
    drop_ended()
    hold(cost, permit, at + lease)
    live = live + cost
  end

  -- A refused call holds nothing.
  function self.penalize() end

  function self.standing()
    return max(0, limit - live), live > 0 and last_end() - now or 0
  end

  function self.renew(cost, permit)
    if not is_held(cost, permit) then return false end
    hold(cost, permit, now + lease)
    return true
  end

  function self.refund(cost, _, permit)
    if not is_held(cost, permit) then return false end
    for i = 1, cost do call('ZREM', key, permit .. ':' .. i) end
    drop_ended()
    if last_end() <= now then call('UNLINK', key) end
    return true
  end

  return self
end
-- An object for each policy of a rule. Nothing when the calendar's edges do not reach to now: it cannot be read then.
local function algorithms_of(policies)
  local makers = {
    exact = function(policy) return exact_algorithm(policy.limit, policy.window) end,
    window = function(policy) return window_algorithm(policy.limit, policy.slice, policy.slices) end,
    smooth = function(policy) return smooth_algorithm(policy.interval, policy.burst, policy.window) end,
    fixed = function(policy) return fixed_algorithm(policy.limit, policy.window) end,
    calendar = function(policy) return fixed_algorithm(policy.limit, nil, policy.edges) end,
    concurrency = function(policy) return concurrency_algorithm(policy.limit, policy.lease) end
  }
  local algorithms = {}
  for i = 1, #policies do
    local edges = policies[i].edges
    if edges and (now < edges[1] or now >= edges[#edges - 1]) then return nil end
    algorithms[i] = makers[policies[i].algorithm](policies[i])
  end
  return algorithms
end
-- Blocks: until when a key admits nothing, whatever is left. State: when it ends, the policy that it is for (from 1 on), and
-- how long it was meant to last.
local block_layout = '>I7I2I7'
-- Mostly nobody is blocked, and then one look at all keys of a script will do.
local has_blocks = false

-- Looks whether any call's key is blocked; that of a block is the last of the \`stride\` keys of each call.
local function look_for_blocks(stride)
  local keys = {}
  for i = stride, #KEYS, stride do keys[#keys + 1] = KEYS[i] end
  for from = 1, #keys, at_a_time do
    local to = math.min(#keys, from + at_a_time - 1)
    if call('EXISTS', unpack(keys, from, to)) > 0 then has_blocks = true end
  end
end

local function block_until(key, ends, by)
  call('SET', key, pack(block_layout, ends, by, ends - now), 'PX', life_of(ends - now))
  has_blocks = true
end

-- Until when a key is blocked, and for which of \`count\` policies.
local function block_of(key, count)
  if not has_blocks then return 0, 0 end
  local bytes = call('GET', key)
  if not bytes then return 0, 0 end
  if #bytes ~= 16 then spoilt() end
  local ends, by, length = unpacked(block_layout, bytes)
  -- Where the server's clock was set back: a block is never longer than it was meant to be.
  return math.min(ends, now + length), max(1, math.min(by, count))
end
-- What went wrong, as a line of text, for replies in which each key has a result of its own.
local function text_of(reason)
  local text = type(reason) == 'table' and reason.err or reason
  return (string.gsub(string.sub(text, 1, 200), '[\\r\\n]', ' '))
end
-- What the decide scripts answer: the time, then for each call as many numbers as there are fields, packed; and behind them
-- a line of text for each call that failed. One key that cannot be read, or one write that is refused, fails its own call
-- and no other.
-- \`decide(i, reply, at)\` writes the fields of the i-th call behind the position \`at\`.
local function decide_each(calls, fields, decide)
  local reply, errors = { now }, {}
  for i = 1, calls do
    local at = 1 + (i - 1) * fields
    local is_decided, reason = pcall(decide, i, reply, at)
    if not is_decided then
      for field = 2, fields do reply[at + field] = 0 end
      reply[at + 1] = -2
      errors[#errors + 1] = text_of(reason)
    end
  end
  return packed(reply, 1 + calls * fields) .. table.concat(errors, '\\n')
end
local rule = cjson.decode(ARGV[2])
local max_wait, block = rule.maxWait, rule.block
local algorithms = algorithms_of(rule.policies)
if not algorithms then return pack('>d', now) end
local count = #algorithms

-- The time when all policies admit a call, and the policy that does so last.
local function earliest(cost)
  local at, last = now, 0
  for i = 1, count do
    local own = algorithms[i].earliest(cost)
    if own > at then at, last = own, i end
  end
  return at, last
end

local function too_dear(cost)
  for i = 1, count do
    if cost > algorithms[i].capacity then return i end
  end
end

-- What a refusal changes, if the rule says that it changes anything; returns when the call would be admitted then.
local function punish(cost, block_key, at, refusing)
  if rule.penalty then
    for i = 1, count do algorithms[i].penalize(cost) end
    at = earliest(cost)
  end
  if block > 0 then
    block_until(block_key, now + block, refusing)
    at = max(at, now + max_wait + block)
  end
  return at
end

-- Status, us to wait, refusing policy.
local function outcome_of(cost, is_look, permit, block_key)
  local blocked, by = block_of(block_key, count)
  if blocked > now then return 0, blocked - now, by end
  if cost == 0 then return 1, 0, 0 end
  local dear = too_dear(cost)
  if dear then return -1, 0, dear end
  local at, refusing = earliest(cost)
  if at - now > max_wait then
    if not is_look then at = punish(cost, block_key, at, refusing) end
    return 0, at - now - max_wait, refusing
  end
  if not is_look then
    for i = 1, count do algorithms[i].take(cost, at, permit) end
  end
  return 1, at - now, 0
end

local function decide(call_number, reply, at)
  local keys = (call_number - 1) * (count + 1)
  for i = 1, count do algorithms[i].read(KEYS[keys + i]) end
  local word = ARGV[2 + call_number]
  local cost, rest = tonumber(word), ''
  if not cost then
    local digits
    digits, rest = string.match(word, '^(%d+)(.*)$')
    cost = tonumber(digits)
  end
  local block_key = KEYS[keys + count + 1]
  local status, wait, refusing = outcome_of(cost, rest == '?', string.sub(rest, 2), block_key)
  reply[at + 1], reply[at + 2], reply[at + 3] = status, wait, refusing - 1
  for i = 1, count do
    reply[at + 2 + 2 * i], reply[at + 3 + 2 * i] = algorithms[i].standing()
  end
end

look_for_blocks(count + 1)
return decide_each(#ARGV - 2, 3 + 2 * count, decide)
` },
  limitExact: { name: 'limit-exact', keys: 'n', lua: `--[[ Decides calls under a rule with a single policy, without penalty and block; see includes/limit-exact.lua.
  KEYS[1..] for each call: the state, then the block
  ARGV[1] now, us, for tests   ARGV[2] the longest wait, us   ARGV[3] limit   ARGV[4] the policy's other numbers, joined
  ARGV[5..] for each call: its cost, then '?' to look only; left out when all cost 1
  Returns as limit-decide-n.lua ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
-- What the algorithms have in common. Each is a function that makes an object for one policy; \`read\` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first \`length\` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the \`from\`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For what cannot have been written here; the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
-- Never more than the limit in any window: the stamps of the latest admissions in a string, oldest first.
--
-- A call of cost c fits at the time when the (limit - c + 1)-th newest stamp has left the window: one look, however many
-- there are. Nothing is admitted before what was admitted last, so no later window holds more than the one that ends with
-- the newest stamp. A string and not a list, because one GET takes less time than three looks into a list.
--
-- State: time and moment of writing of the latest reservation, when it expires, the largest limit that anything was admitted
-- under since nothing counted last, then the stamps.
local function exact_algorithm(limit, window)
  local head, width = 32, 8
  -- Less than this is read at once; more, stamp by stamp.
  local long = 4096
  local edge = now - window
  local self = { capacity = limit }
  -- Of the key: its bytes if they were read at once, how many stamps there are, the newest, and how many are dead.
  local key, bytes, length, newest, dead
  -- All stamps as numbers, and how many of which were given back; for what is written by \`flush\`.
  local stamps, given, is_given_back = nil, {}, false

  local function stamp_at(i)
    local from = head + width * i
    if bytes then return (unpacked('>d', bytes, from + 1)) end
    return (unpacked('>d', call('GETRANGE', key, from, from + width - 1)))
  end

  -- Time and moment of writing of the latest reservation, when the key expires, and the largest limit.
  local function header()
    return unpacked('>dddd', bytes or call('GETRANGE', key, '0', '31'))
  end

  -- The bytes of the stamps from the i-th on.
  local function stamps_from(i)
    if bytes then return string.sub(bytes, head + width * i + 1) end
    return call('GETRANGE', key, head + width * i, '-1')
  end

  -- How many of the oldest stamps have left the window that ends now. Only dropped when they are the greater part, and not
  -- when a reservation leaves them behind: it may be taken back, and then they count again.
  local function count_dead()
    if length == 0 or stamp_at(0) > edge then return 0 end
    local low, high = 0, length
    while high - low > 1 do
      local middle = floor((low + high) / 2)
      if stamp_at(middle) <= edge then low = middle else high = middle end
    end
    return high
  end

  -- Writes it all anew.
  local function save(reserved, written, most, stamps)
    local expires = now + with_slack(newest + window - now)
    bytes = pack('>dddd', reserved, written, expires, most) .. stamps
    length = #stamps / width
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- The server's clock was set back: everything happened at least that much earlier on the new scale.
  local function move_back(by, reserved, written, most)
    local moved = numbers_in(stamps_from(0), 1)
    for i = 1, #moved do moved[i] = max(0, moved[i] - by) end
    newest = max(0, newest - by)
    save(max(0, reserved - by), max(0, written - by), most, packed(moved, #moved))
  end

  function self.read(at_key)
    key, bytes, length, newest, dead = at_key, nil, 0, nil, nil
    bytes = call('GETRANGE', key, '-4096', '-1')
    local size = #bytes
    if size == 0 then return end
    if size == long then
      bytes, size = nil, call('STRLEN', key)
    end
    length = (size - head) / width
    if length < 1 or length % 1 ~= 0 then spoilt() end
    newest = stamp_at(length - 1)
    if newest <= now then return end
    -- Ahead of now: it was reserved, or the clock was set back.
    local reserved, written, _, most = header()
    local wrote = newest == reserved and written or newest
    if wrote > now then move_back(wrote - now, reserved, written, most) end
  end

  function self.earliest(cost)
    if not newest then return now end
    local at = newest > now and newest or now
    local leaving = length + cost - limit - 1
    if leaving < 0 then return at end
    return max(at, stamp_at(leaving) + window)
  end

  function self.take(cost, at)
    local added = pack('>d', at)
    if cost > 1 then added = string.rep(added, cost) end
    dead = newest and count_dead() or 0
    local is_new, drops = not newest, dead * 2 >= length + cost
    local reserved, written, expires, most = 0, 0, 0, limit
    if not is_new then reserved, written, expires, most = header() end
    local largest = dead == length and limit or max(most, limit)
    newest = at
    if is_new or drops then
      if at > now then reserved, written = at, now end
      save(reserved, written, largest, (is_new and '' or stamps_from(dead)) .. added)
      dead = 0
      return
    end
    call('APPEND', key, added)
    length, bytes = length + cost, nil
    if at > now then call('SETRANGE', key, '0', pack('>dd', at, now)) end
    if largest ~= most then call('SETRANGE', key, '24', pack('>d', largest)) end
    if at + window > expires then
      expires = now + with_slack(at + window - now)
      call('SETRANGE', key, '16', pack('>d', expires))
      call('PEXPIRE', key, life_of(expires - now))
    end
  end

  function self.penalize(cost)
    self.take(cost, max(now, newest or 0))
    local reserved, written, _, most = header()
    if length < 2 * most then return end
    -- No more than the newest ones can matter; as many as the largest limit, which may come back.
    save(reserved, written, most, stamps_from(length - most))
    dead = nil
  end

  function self.standing()
    if not newest then return limit, 0 end
    dead = dead or count_dead()
    return max(0, limit - length + dead), max(0, newest + window - now)
  end

  -- How many stamps are not after a time.
  local function count_until(at)
    local low, high = 0, length
    while low < high do
      local middle = floor((low + high) / 2)
      if stamps[middle + 1] <= at then low = middle + 1 else high = middle end
    end
    return low
  end

  -- Written by \`flush\`, so that many can be given back at once.
  function self.refund(cost, at)
    if not newest or at <= edge then return false end
    stamps = stamps or numbers_in(stamps_from(0), 1)
    local before = given[at] or 0
    local present, last = 0, count_until(at)
    for i = last, max(1, last - before - cost + 1), -1 do
      if stamps[i] ~= at then break end
      present = present + 1
    end
    if present <= before then return false end
    given[at] = math.min(present, before + cost)
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not newest then return 0 end
    stamps = numbers_in(stamps_from(0), 1)
    local count = math.min(points, length - count_dead())
    for i = length, length - count + 1, -1 do given[stamps[i]] = (given[stamps[i]] or 0) + 1 end
    is_given_back = count > 0
    return count
  end

  function self.flush()
    if not is_given_back then return end
    local kept, first = {}, length
    for i = length, 1, -1 do
      local left = given[stamps[i]] or 0
      if left > 0 then
        given[stamps[i]] = left - 1
      else
        kept[first], first = stamps[i], first - 1
      end
    end
    if first == length then return call('UNLINK', key) end
    local reserved, written, _, most = header()
    newest = kept[length]
    if newest > now then reserved, written = newest, now end
    local remaining = {}
    for i = first + 1, length do remaining[i - first] = kept[i] end
    save(reserved, written, most, packed(remaining, length - first))
  end

  return self
end
-- Blocks: until when a key admits nothing, whatever is left. State: when it ends, the policy that it is for (from 1 on), and
-- how long it was meant to last.
local block_layout = '>I7I2I7'
-- Mostly nobody is blocked, and then one look at all keys of a script will do.
local has_blocks = false

-- Looks whether any call's key is blocked; that of a block is the last of the \`stride\` keys of each call.
local function look_for_blocks(stride)
  local keys = {}
  for i = stride, #KEYS, stride do keys[#keys + 1] = KEYS[i] end
  for from = 1, #keys, at_a_time do
    local to = math.min(#keys, from + at_a_time - 1)
    if call('EXISTS', unpack(keys, from, to)) > 0 then has_blocks = true end
  end
end

local function block_until(key, ends, by)
  call('SET', key, pack(block_layout, ends, by, ends - now), 'PX', life_of(ends - now))
  has_blocks = true
end

-- Until when a key is blocked, and for which of \`count\` policies.
local function block_of(key, count)
  if not has_blocks then return 0, 0 end
  local bytes = call('GET', key)
  if not bytes then return 0, 0 end
  if #bytes ~= 16 then spoilt() end
  local ends, by, length = unpacked(block_layout, bytes)
  -- Where the server's clock was set back: a block is never longer than it was meant to be.
  return math.min(ends, now + length), max(1, math.min(by, count))
end
-- What went wrong, as a line of text, for replies in which each key has a result of its own.
local function text_of(reason)
  local text = type(reason) == 'table' and reason.err or reason
  return (string.gsub(string.sub(text, 1, 200), '[\\r\\n]', ' '))
end
-- What the decide scripts answer: the time, then for each call as many numbers as there are fields, packed; and behind them
-- a line of text for each call that failed. One key that cannot be read, or one write that is refused, fails its own call
-- and no other.
-- \`decide(i, reply, at)\` writes the fields of the i-th call behind the position \`at\`.
local function decide_each(calls, fields, decide)
  local reply, errors = { now }, {}
  for i = 1, calls do
    local at = 1 + (i - 1) * fields
    local is_decided, reason = pcall(decide, i, reply, at)
    if not is_decided then
      for field = 2, fields do reply[at + field] = 0 end
      reply[at + 1] = -2
      errors[#errors + 1] = text_of(reason)
    end
  end
  return packed(reply, 1 + calls * fields) .. table.concat(errors, '\\n')
end
-- Decides calls under a single policy; what lua/limit-decide-n.lua does, without what only several policies need.
local function decide_under(policy)
  local read, earliest, take, standing = policy.read, policy.earliest, policy.take, policy.standing
  local capacity, max_wait = policy.capacity, tonumber(ARGV[2])
  look_for_blocks(2)

  local function decide(i, reply, at)
    -- Mostly all calls cost 1, and then no costs are sent.
    local word = ARGV[4 + i] or 1
    local cost = tonumber(word)
    local is_look = false
    if not cost then
      is_look = string.sub(word, -1) == '?'
      cost = tonumber(string.match(word, '^%d+'))
    end
    read(KEYS[2 * i - 1])
    local status, wait, refusing = 1, 0, -1
    local blocked = block_of(KEYS[2 * i], 1)
    if blocked > now then
      status, wait, refusing = 0, blocked - now, 0
    elseif cost > capacity then
      status, refusing = -1, 0
    elseif cost > 0 then
      local turn = earliest(cost)
      wait = turn - now
      if wait > max_wait then
        status, wait, refusing = 0, wait - max_wait, 0
      elseif not is_look then
        take(cost, turn)
      end
    end
    reply[at + 1], reply[at + 2], reply[at + 3] = status, wait, refusing
    reply[at + 4], reply[at + 5] = standing()
  end

  return decide_each(#KEYS / 2, 5, decide)
end
return decide_under(exact_algorithm(tonumber(ARGV[3]), tonumber(ARGV[4])))
` },
  limitFixed: { name: 'limit-fixed', keys: 'n', lua: `--[[ Decides calls under a rule with a single policy, without penalty and block; see includes/limit-fixed.lua.
  KEYS[1..] for each call: the state, then the block
  ARGV[1] now, us, for tests   ARGV[2] the longest wait, us   ARGV[3] limit   ARGV[4] the policy's other numbers, joined
  ARGV[5..] for each call: its cost, then '?' to look only; left out when all cost 1
  Returns as limit-decide-n.lua ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
-- What the algorithms have in common. Each is a function that makes an object for one policy; \`read\` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first \`length\` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the \`from\`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For what cannot have been written here; the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
-- So many per period. State: when the period begins, when written, when it expires, how much was admitted in it, and the
-- largest limit since nothing counted last.
--
-- A period of \`fixed\` begins with the first admission after the last one; those of \`calendar\` begin at the edges that came
-- with the rule, because Redis knows no time zones. A reservation opens the next period ahead of time.
local function fixed_algorithm(limit, window, edges)
  local layout = '>ddddd'
  local self = { capacity = limit }
  -- Of the key: the present period, or one ahead that was reserved in; absent when nothing counts.
  local key, start, count, expires, most

  -- Where the period of a time begins; nil for what is long over.
  local function start_of(at)
    if not edges then return at end
    local found
    for i = 1, #edges do
      if edges[i] <= at then found = edges[i] end
    end
    return found
  end

  local function end_of(from)
    if not edges then return from + window end
    for i = 1, #edges do
      if edges[i] > from then return edges[i] end
    end
    -- Beyond what came with the rule: no reservation reaches that far.
    return from + edges[#edges] - edges[#edges - 1]
  end

  local function save()
    local ends = end_of(start)
    if ends > expires then
      expires = ends
      call('SET', key, pack(layout, start, now, expires, count, most), 'PX', life_of(ends - now))
    else
      call('SETRANGE', key, '0', pack(layout, start, now, expires, count, most))
    end
  end

  function self.read(at_key)
    key, start, expires, most = at_key, nil, 0, limit
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= 40 then spoilt() end
    local begun, written, admitted, largest
    begun, written, expires, admitted, largest = unpacked(layout, bytes)
    -- The server's clock was set back: what was admitted before now counts now.
    local by = max(0, written - now)
    begun = start_of(max(0, begun - by))
    if edges and by > 0 then begun = max(begun or 0, start_of(now)) end
    if not begun or end_of(begun) <= now then return end
    start, count, most = begun, admitted, max(largest, limit)
    if by > 0 then save() end
  end

  function self.earliest(cost)
    if not start then return now end
    if count + cost > limit then return end_of(start) end
    return start > now and start or now
  end

  function self.take(cost, at)
    if start and at < end_of(start) then
      count = count + cost
    else
      start, count = start_of(at), cost
    end
    save()
  end

  function self.penalize(cost)
    if not start then start, count = start_of(now), 0 end
    count = max(count, math.min(limit, count + cost))
    save()
  end

  function self.standing()
    if not start then return limit, 0 end
    -- When the next period is open already, this one is used up.
    local left = start > now and 0 or max(0, limit - count)
    return left, end_of(start) - now
  end

  function self.refund(cost, at)
    if not start or at < start or at >= end_of(start) or count < cost then return false end
    count = count - cost
    -- A period ahead in which nothing is reserved any more is closed again: it was opened because the one before was full.
    if count == 0 and start > now then
      start, count = edges and start_of(start - 1) or start - window, most
    end
    save()
    return true
  end

  function self.reward(points)
    if not start then return 0 end
    local given = math.min(points, count)
    count = count - given
    save()
    return given
  end

  return self
end
-- Blocks: until when a key admits nothing, whatever is left. State: when it ends, the policy that it is for (from 1 on), and
-- how long it was meant to last.
local block_layout = '>I7I2I7'
-- Mostly nobody is blocked, and then one look at all keys of a script will do.
local has_blocks = false

-- Looks whether any call's key is blocked; that of a block is the last of the \`stride\` keys of each call.
local function look_for_blocks(stride)
  local keys = {}
  for i = stride, #KEYS, stride do keys[#keys + 1] = KEYS[i] end
  for from = 1, #keys, at_a_time do
    local to = math.min(#keys, from + at_a_time - 1)
    if call('EXISTS', unpack(keys, from, to)) > 0 then has_blocks = true end
  end
end

local function block_until(key, ends, by)
  call('SET', key, pack(block_layout, ends, by, ends - now), 'PX', life_of(ends - now))
  has_blocks = true
end

-- Until when a key is blocked, and for which of \`count\` policies.
local function block_of(key, count)
  if not has_blocks then return 0, 0 end
  local bytes = call('GET', key)
  if not bytes then return 0, 0 end
  if #bytes ~= 16 then spoilt() end
  local ends, by, length = unpacked(block_layout, bytes)
  -- Where the server's clock was set back: a block is never longer than it was meant to be.
  return math.min(ends, now + length), max(1, math.min(by, count))
end
-- What went wrong, as a line of text, for replies in which each key has a result of its own.
local function text_of(reason)
  local text = type(reason) == 'table' and reason.err or reason
  return (string.gsub(string.sub(text, 1, 200), '[\\r\\n]', ' '))
end
-- What the decide scripts answer: the time, then for each call as many numbers as there are fields, packed; and behind them
-- a line of text for each call that failed. One key that cannot be read, or one write that is refused, fails its own call
-- and no other.
-- \`decide(i, reply, at)\` writes the fields of the i-th call behind the position \`at\`.
local function decide_each(calls, fields, decide)
  local reply, errors = { now }, {}
  for i = 1, calls do
    local at = 1 + (i - 1) * fields
    local is_decided, reason = pcall(decide, i, reply, at)
    if not is_decided then
      for field = 2, fields do reply[at + field] = 0 end
      reply[at + 1] = -2
      errors[#errors + 1] = text_of(reason)
    end
  end
  return packed(reply, 1 + calls * fields) .. table.concat(errors, '\\n')
end
-- Decides calls under a single policy; what lua/limit-decide-n.lua does, without what only several policies need.
local function decide_under(policy)
  local read, earliest, take, standing = policy.read, policy.earliest, policy.take, policy.standing
  local capacity, max_wait = policy.capacity, tonumber(ARGV[2])
  look_for_blocks(2)

  local function decide(i, reply, at)
    -- Mostly all calls cost 1, and then no costs are sent.
    local word = ARGV[4 + i] or 1
    local cost = tonumber(word)
    local is_look = false
    if not cost then
      is_look = string.sub(word, -1) == '?'
      cost = tonumber(string.match(word, '^%d+'))
    end
    read(KEYS[2 * i - 1])
    local status, wait, refusing = 1, 0, -1
    local blocked = block_of(KEYS[2 * i], 1)
    if blocked > now then
      status, wait, refusing = 0, blocked - now, 0
    elseif cost > capacity then
      status, refusing = -1, 0
    elseif cost > 0 then
      local turn = earliest(cost)
      wait = turn - now
      if wait > max_wait then
        status, wait, refusing = 0, wait - max_wait, 0
      elseif not is_look then
        take(cost, turn)
      end
    end
    reply[at + 1], reply[at + 2], reply[at + 3] = status, wait, refusing
    reply[at + 4], reply[at + 5] = standing()
  end

  return decide_each(#KEYS / 2, 5, decide)
end
return decide_under(fixed_algorithm(tonumber(ARGV[3]), tonumber(ARGV[4])))
` },
  limitRefund: { name: 'limit-refund', keys: 'n', lua: `--[[ Takes admissions of one key back, in the policies where that is safe, and says so to everybody.
  KEYS[1..] the states of the policies
  ARGV[1] now, us, for tests   ARGV[2] the rule, JSON   ARGV[3] channel   ARGV[4] message   ARGV[5..] for each admission: cost,
  when it was decided, us, how long it had to wait, us, permit
  Returns {1 something was given back | 0 it is too long ago, or others came since, for each} | {-1, now, us} the calendar's
  edges do not reach ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
-- What the algorithms have in common. Each is a function that makes an object for one policy; \`read\` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first \`length\` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the \`from\`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For what cannot have been written here; the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
-- Never more than the limit in any window: the stamps of the latest admissions in a string, oldest first.
--
-- A call of cost c fits at the time when the (limit - c + 1)-th newest stamp has left the window: one look, however many
-- there are. Nothing is admitted before what was admitted last, so no later window holds more than the one that ends with
-- the newest stamp. A string and not a list, because one GET takes less time than three looks into a list.
--
-- State: time and moment of writing of the latest reservation, when it expires, the largest limit that anything was admitted
-- under since nothing counted last, then the stamps.
local function exact_algorithm(limit, window)
  local head, width = 32, 8
  -- Less than this is read at once; more, stamp by stamp.
  local long = 4096
  local edge = now - window
  local self = { capacity = limit }
  -- Of the key: its bytes if they were read at once, how many stamps there are, the newest, and how many are dead.
  local key, bytes, length, newest, dead
  -- All stamps as numbers, and how many of which were given back; for what is written by \`flush\`.
  local stamps, given, is_given_back = nil, {}, false

  local function stamp_at(i)
    local from = head + width * i
    if bytes then return (unpacked('>d', bytes, from + 1)) end
    return (unpacked('>d', call('GETRANGE', key, from, from + width - 1)))
  end

  -- Time and moment of writing of the latest reservation, when the key expires, and the largest limit.
  local function header()
    return unpacked('>dddd', bytes or call('GETRANGE', key, '0', '31'))
  end

  -- The bytes of the stamps from the i-th on.
  local function stamps_from(i)
    if bytes then return string.sub(bytes, head + width * i + 1) end
    return call('GETRANGE', key, head + width * i, '-1')
  end

  -- How many of the oldest stamps have left the window that ends now. Only dropped when they are the greater part, and not
  -- when a reservation leaves them behind: it may be taken back, and then they count again.
  local function count_dead()
    if length == 0 or stamp_at(0) > edge then return 0 end
    local low, high = 0, length
    while high - low > 1 do
      local middle = floor((low + high) / 2)
      if stamp_at(middle) <= edge then low = middle else high = middle end
    end
    return high
  end

  -- Writes it all anew.
  local function save(reserved, written, most, stamps)
    local expires = now + with_slack(newest + window - now)
    bytes = pack('>dddd', reserved, written, expires, most) .. stamps
    length = #stamps / width
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- The server's clock was set back: everything happened at least that much earlier on the new scale.
  local function move_back(by, reserved, written, most)
    local moved = numbers_in(stamps_from(0), 1)
    for i = 1, #moved do moved[i] = max(0, moved[i] - by) end
    newest = max(0, newest - by)
    save(max(0, reserved - by), max(0, written - by), most, packed(moved, #moved))
  end

  function self.read(at_key)
    key, bytes, length, newest, dead = at_key, nil, 0, nil, nil
    bytes = call('GETRANGE', key, '-4096', '-1')
    local size = #bytes
    if size == 0 then return end
    if size == long then
      bytes, size = nil, call('STRLEN', key)
    end
    length = (size - head) / width
    if length < 1 or length % 1 ~= 0 then spoilt() end
    newest = stamp_at(length - 1)
    if newest <= now then return end
    -- Ahead of now: it was reserved, or the clock was set back.
    local reserved, written, _, most = header()
    local wrote = newest == reserved and written or newest
    if wrote > now then move_back(wrote - now, reserved, written, most) end
  end

  function self.earliest(cost)
    if not newest then return now end
    local at = newest > now and newest or now
    local leaving = length + cost - limit - 1
    if leaving < 0 then return at end
    return max(at, stamp_at(leaving) + window)
  end

  function self.take(cost, at)
    local added = pack('>d', at)
    if cost > 1 then added = string.rep(added, cost) end
    dead = newest and count_dead() or 0
    local is_new, drops = not newest, dead * 2 >= length + cost
    local reserved, written, expires, most = 0, 0, 0, limit
    if not is_new then reserved, written, expires, most = header() end
    local largest = dead == length and limit or max(most, limit)
    newest = at
    if is_new or drops then
      if at > now then reserved, written = at, now end
      save(reserved, written, largest, (is_new and '' or stamps_from(dead)) .. added)
      dead = 0
      return
    end
    call('APPEND', key, added)
    length, bytes = length + cost, nil
    if at > now then call('SETRANGE', key, '0', pack('>dd', at, now)) end
    if largest ~= most then call('SETRANGE', key, '24', pack('>d', largest)) end
    if at + window > expires then
      expires = now + with_slack(at + window - now)
      call('SETRANGE', key, '16', pack('>d', expires))
      call('PEXPIRE', key, life_of(expires - now))
    end
  end

  function self.penalize(cost)
    self.take(cost, max(now, newest or 0))
    local reserved, written, _, most = header()
    if length < 2 * most then return end
    -- No more than the newest ones can matter; as many as the largest limit, which may come back.
    save(reserved, written, most, stamps_from(length - most))
    dead = nil
  end

  function self.standing()
    if not newest then return limit, 0 end
    dead = dead or count_dead()
    return max(0, limit - length + dead), max(0, newest + window - now)
  end

  -- How many stamps are not after a time.
  local function count_until(at)
    local low, high = 0, length
    while low < high do
      local middle = floor((low + high) / 2)
      if stamps[middle + 1] <= at then low = middle + 1 else high = middle end
    end
    return low
  end

  -- Written by \`flush\`, so that many can be given back at once.
  function self.refund(cost, at)
    if not newest or at <= edge then return false end
    stamps = stamps or numbers_in(stamps_from(0), 1)
    local before = given[at] or 0
    local present, last = 0, count_until(at)
    for i = last, max(1, last - before - cost + 1), -1 do
      if stamps[i] ~= at then break end
      present = present + 1
    end
    if present <= before then return false end
    given[at] = math.min(present, before + cost)
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not newest then return 0 end
    stamps = numbers_in(stamps_from(0), 1)
    local count = math.min(points, length - count_dead())
    for i = length, length - count + 1, -1 do given[stamps[i]] = (given[stamps[i]] or 0) + 1 end
    is_given_back = count > 0
    return count
  end

  function self.flush()
    if not is_given_back then return end
    local kept, first = {}, length
    for i = length, 1, -1 do
      local left = given[stamps[i]] or 0
      if left > 0 then
        given[stamps[i]] = left - 1
      else
        kept[first], first = stamps[i], first - 1
      end
    end
    if first == length then return call('UNLINK', key) end
    local reserved, written, _, most = header()
    newest = kept[length]
    if newest > now then reserved, written = newest, now end
    local remaining = {}
    for i = first + 1, length do remaining[i - first] = kept[i] end
    save(reserved, written, most, packed(remaining, length - first))
  end

  return self
end
-- Never more than the limit in any window: counts by slice of time, newest first.
--
-- A window of B slices touches at most B + 1 of them; all of those are counted, so what is let in never exceeds the limit,
-- and at least limit * B / (B + 1) get in. State: slice width, slices a window, when written, when it expires, number of
-- the newest slice, the sum of all that counted when written, and the counts from the newest slice to the oldest one.
--
-- Where calls wait for their turn, slices lie ahead by the thousand. So a call reads the newest ones only, writes a count in
-- place or puts a new one before the others as they are, and takes the sum as it was written while no slice has passed.
local function window_algorithm(limit, slice, slices)
  local current = floor(now / slice)
  local oldest = current - slices
  local header, layout = 48, '>ddddddd'
  -- Nobody reserves as far ahead as this many slices.
  local furthest = current + 262144
  local self = { capacity = limit }
  -- Of the key: its bytes, the newest slice and its count (absent when nothing counts), what was admitted in the window that
  -- ends now, and the counts as far as they were read.
  local key, bytes, expires, top, top_count, used, counts
  local is_given_back = false

  local function length()
    return (#bytes - header) / 8
  end

  -- Reads the newest \`most\` counts, or all.
  local function load_counts(most)
    local count = math.min(most or length(), length())
    if #counts >= count then return end
    counts = numbers_in(string.sub(bytes, 1, header + 8 * count), header + 1)
    counts[1] = top_count
  end

  local function count_of(number)
    if number > top then return 0 end
    return counts[top - number + 1] or 0
  end

  -- The sum of all counts from a slice on that were read.
  local function sum_from(first)
    local sum = 0
    for i = 1, math.min(#counts, top - first + 1) do sum = sum + counts[i] end
    return sum
  end

  -- Writes it all anew; \`older\` are the bytes of the counts behind those that were read.
  local function save_all(older)
    expires = now + with_slack((top + slices + 1) * slice - now)
    bytes = pack('>dddddd', slice, slices, now, expires, top, used) .. packed(counts, #counts) .. older
    top_count = counts[1]
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- Adds to a slice that is not older than the newest one.
  local function add(number, cost)
    used = used + cost
    if number == top and (top + slices + 1) * slice <= expires then
      top_count = top_count + cost
      counts[1] = top_count
      call('SETRANGE', key, '0', pack(layout, slice, slices, now, expires, top, used, top_count))
      return
    end
    if number == top then
      load_counts()
      counts[1] = top_count + cost
      return save_all('')
    end
    -- What does not count any more is left behind.
    local kept = top and max(0, math.min(length(), top - oldest + 1)) or 0
    counts = { cost }
    local older = ''
    if kept > 0 then
      for _ = top + 1, number - 1 do counts[#counts + 1] = 0 end
      older = pack('>d', top_count) .. string.sub(bytes, header + 9, header + 8 * kept)
    end
    top = number
    save_all(older)
  end

  -- Slices of another width cannot be told apart any more: all that still counts is taken to be in one slice, the latest
  -- it can have been in.
  local function put_in_one(width, per_window)
    local present = floor(now / width)
    local sum = sum_from(present - per_window)
    local latest = now
    if top > present then latest = (top + 1) * width - 1 end
    top, counts = nil, {}
    if sum > 0 then top, counts = floor(latest / slice), { sum } end
  end

  -- What does not go on as it was written.
  local function repair(width, per_window, by)
    load_counts()
    -- The server's clock was set back; see exact.
    if by > 0 then top = top - floor(by / width) end
    if width ~= slice then put_in_one(width, per_window) end
    if not top then return call('UNLINK', key) end
    used = sum_from(oldest)
    if by > 0 or width ~= slice then save_all('') end
  end

  function self.read(at_key)
    key, top, used, counts = at_key, nil, 0, {}
    bytes = call('GET', key)
    if not bytes then return end
    if #bytes < header + 8 or #bytes % 8 ~= 0 then spoilt() end
    local width, per_window, written, sum
    width, per_window, written, expires, top, sum, top_count = unpacked(layout, bytes)
    local newest = top * width - max(0, written - now)
    if not (width > 0 and newest / slice < furthest) then spoilt() end
    if width == slice and per_window == slices and written <= now and floor(written / slice) == current then
      used = sum
    else
      repair(width, per_window, written - now)
    end
  end

  function self.earliest(cost)
    if used + cost <= limit and (not top or top <= current) then return now end
    load_counts(slices + 1)
    local at = max(current, top)
    local sum = sum_from(at - slices)
    -- Once all have left the sum is 0, and the cost is no more than the limit.
    local last = at + slices
    while sum + cost > limit and at <= last do
      sum = sum - count_of(at - slices)
      at = at + 1
    end
    return max(now, at * slice)
  end

  function self.take(cost, at)
    add(floor(at / slice), cost)
  end

  function self.penalize(cost)
    local number = max(current, top or 0)
    local before = number == top and top_count or 0
    add(number, max(before, math.min(limit, before + cost)) - before)
  end

  function self.standing()
    if not top then return limit, 0 end
    return max(0, limit - used), max(0, (top + slices + 1) * slice - now)
  end

  -- Written by \`flush\`, so that many can be given back at once.
  function self.refund(cost, at)
    local number = floor(at / slice)
    if not top or number < oldest then return false end
    load_counts()
    if count_of(number) < cost then return false end
    local index = top - number + 1
    counts[index] = counts[index] - cost
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not top then return 0 end
    load_counts()
    local left = points
    for i = 1, math.min(#counts, top - oldest + 1) do
      local given = math.min(left, counts[i])
      counts[i], left = counts[i] - given, left - given
    end
    is_given_back = left < points
    return points - left
  end

  function self.flush()
    if not is_given_back then return end
    local first, last = 1, math.min(#counts, top - oldest + 1)
    while first <= last and counts[first] == 0 do first = first + 1 end
    if first > last then return call('UNLINK', key) end
    top = top - first + 1
    local kept = {}
    for i = first, last do kept[i - first + 1] = counts[i] end
    counts = kept
    used = sum_from(oldest)
    save_all('')
  end

  return self
end
-- A bucket of \`burst\` permits that gets one back every interval (GCRA): one number, the time when the bucket is full again.
-- In a window it lets in \`burst\` + window / interval - 1 at most.
--
-- Under another interval the same time stands for another number of calls, so the state says under which it was written.
-- After a change the bucket keeps its debt in calls, as far as it can hold it; and until all that the old bucket let in has
-- left the window, that much (the most it can have been) counts beside what the new one lets in, turns after that time too:
-- the limit may be changed again before they come.
--
-- State: when the bucket is full, when written, when it expires, time of the latest admission and its cost if it can be
-- taken back, interval and burst, and what counts from before a change, and until when.
local function smooth_algorithm(interval, burst, window)
  local layout, width = '>ddddddddd', 72
  local most = burst + math.ceil(window / interval) - 1
  local self = { capacity = burst }
  local key, full, expires, last, last_cost, carried, carried_until
  local in_interval, in_burst

  local function save()
    local bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
    local ends = max(full, last + window, carried_until)
    if ends > expires then
      expires = now + with_slack(ends - now)
      bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
      call('SET', key, bytes, 'PX', life_of(expires - now))
    else
      call('SETRANGE', key, '0', bytes)
    end
  end

  local function adopt()
    if carried_until <= now then
      carried = 0
      -- A call that is still in the window came when the bucket had at least its present debt less than a window ago.
      if last + window > now then carried = max(0, math.ceil((full - now + window) / in_interval) - 1) end
    end
    carried_until = last + window
    local from = max(now, last)
    local debt = math.ceil(max(0, full - from) * interval / in_interval)
    full = from + math.min(debt, burst * interval)
    in_interval, in_burst = interval, burst
  end

  function self.read(at_key)
    key, full, expires, last, last_cost, carried, carried_until = at_key, 0, 0, 0, 0, 0, 0
    in_interval, in_burst = interval, burst
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= width then spoilt() end
    local written
    full, written, expires, last, last_cost, in_interval, in_burst, carried, carried_until = unpacked(layout, bytes)
    local by, is_same = max(0, written - now), in_interval == interval and in_burst == burst
    if by == 0 and is_same then
      if carried_until <= now then carried, carried_until = 0, 0 end
      return
    end
    -- The server's clock was set back; see exact.
    full, last, carried_until = max(0, full - by), max(0, last - by), max(0, carried_until - by)
    if not is_same then adopt() end
    if carried_until <= now then carried, carried_until = 0, 0 end
    save()
  end

  function self.earliest(cost)
    local at = full + (cost - burst) * interval
    if at < now then at = now end
    if at < carried_until and carried + cost > most then return carried_until end
    return at
  end

  function self.take(cost, at)
    full = (full > at and full or at) + cost * interval
    if carried_until > now then carried = carried + cost end
    last, last_cost = max(last, at), at < last and 0 or cost
    save()
  end

  -- The bucket is emptied, and not more: else who keeps trying would stay out for longer than a full refill.
  function self.penalize(cost)
    local charged = max(full, now) + cost * interval
    full = max(full, math.min(charged, now + burst * interval))
    last_cost = 0
    save()
  end

  function self.standing()
    local missing = full > now and full - now or 0
    local left = max(0, floor(burst - missing / interval))
    if carried_until <= now then return left, missing end
    return max(0, math.min(left, most - carried)), max(missing, carried_until - now)
  end

  -- After a later admission nobody can say what of the debt is whose. Turns ahead follow each other without a pause, so the
  -- last of them is known by when it comes; once it is given back, the one before it is the last.
  function self.refund(cost, at)
    local is_last_turn = at > now and at == full - burst * interval
    if full <= now or not (is_last_turn or last == at and last_cost == cost) then return false end
    carried = max(0, carried - cost)
    full, last_cost = full - cost * interval, 0
    last = math.min(last, max(now, full - burst * interval, carried_until))
    save()
    return true
  end

  function self.reward(points)
    if full <= now then return 0 end
    local given = math.min(points, math.ceil((full - now) / interval))
    full, last_cost, carried = max(now, full - given * interval), 0, max(0, carried - given)
    save()
    return given
  end

  return self
end
-- So many per period. State: when the period begins, when written, when it expires, how much was admitted in it, and the
-- largest limit since nothing counted last.
--
-- A period of \`fixed\` begins with the first admission after the last one; those of \`calendar\` begin at the edges that came
-- with the rule, because Redis knows no time zones. A reservation opens the next period ahead of time.
local function fixed_algorithm(limit, window, edges)
  local layout = '>ddddd'
  local self = { capacity = limit }
  -- Of the key: the present period, or one ahead that was reserved in; absent when nothing counts.
  local key, start, count, expires, most

  -- Where the period of a time begins; nil for what is long over.
  local function start_of(at)
    if not edges then return at end
    local found
    for i = 1, #edges do
      if edges[i] <= at then found = edges[i] end
    end
    return found
  end

  local function end_of(from)
    if not edges then return from + window end
    for i = 1, #edges do
      if edges[i] > from then return edges[i] end
    end
    -- Beyond what came with the rule: no reservation reaches that far.
    return from + edges[#edges] - edges[#edges - 1]
  end

  local function save()
    local ends = end_of(start)
    if ends > expires then
      expires = ends
      call('SET', key, pack(layout, start, now, expires, count, most), 'PX', life_of(ends - now))
    else
      call('SETRANGE', key, '0', pack(layout, start, now, expires, count, most))
    end
  end

  function self.read(at_key)
    key, start, expires, most = at_key, nil, 0, limit
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= 40 then spoilt() end
    local begun, written, admitted, largest
    begun, written, expires, admitted, largest = unpacked(layout, bytes)
    -- The server's clock was set back: what was admitted before now counts now.
    local by = max(0, written - now)
    begun = start_of(max(0, begun - by))
    if edges and by > 0 then begun = max(begun or 0, start_of(now)) end
    if not begun or end_of(begun) <= now then return end
    start, count, most = begun, admitted, max(largest, limit)
    if by > 0 then save() end
  end

  function self.earliest(cost)
    if not start then return now end
    if count + cost > limit then return end_of(start) end
    return start > now and start or now
  end

  function self.take(cost, at)
    if start and at < end_of(start) then
      count = count + cost
    else
      start, count = start_of(at), cost
    end
    save()
  end

  function self.penalize(cost)
    if not start then start, count = start_of(now), 0 end
    count = max(count, math.min(limit, count + cost))
    save()
  end

  function self.standing()
    if not start then return limit, 0 end
    -- When the next period is open already, this one is used up.
    local left = start > now and 0 or max(0, limit - count)
    return left, end_of(start) - now
  end

  function self.refund(cost, at)
    if not start or at < start or at >= end_of(start) or count < cost then return false end
    count = count - cost
    -- A period ahead in which nothing is reserved any more is closed again: it was opened because the one before was full.
    if count == 0 and start > now then
      start, count = edges and start_of(start - 1) or start - window, most
    end
    save()
    return true
  end

  function self.reward(points)
    if not start then return 0 end
    local given = math.min(points, count)
    count = count - given
    save()
    return given
  end

  return self
end
-- So many at the same time: permits in a sorted set by when their lease ends. '!written' has a score below 0.
local function concurrency_algorithm(limit, lease)
  local self = { capacity = limit }
  local key, live

  local function last_end()
    local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
    return last[2] and tonumber(last[2]) or 0
  end

  local function save()
    call('ZADD', key, whole(-now), '!written')
    call('PEXPIRE', key, life_of(last_end() - now))
  end

  -- The server's clock was set back; see exact.
  local function move_back(by)
    local members = call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #members, 2 do
      local ends = tonumber(members[i + 1])
      if ends > 0 then call('ZADD', key, whole(max(1, ends - by)), members[i]) end
    end
    save()
  end

  local function drop_ended()
    call('ZREMRANGEBYSCORE', key, '(0', whole(now))
  end

  local function hold(cost, permit, ends)
    for i = 1, cost do call('ZADD', key, whole(ends), permit .. ':' .. i) end
    save()
  end

  -- False when one of the permits has ended.
  local function is_held(cost, permit)
    for i = 1, cost do
      local ends = call('ZSCORE', key, permit .. ':' .. i)
      if not ends or tonumber(ends) <= now then return false end
    end
    return true
  end

  function self.read(at_key)
    key, live = at_key, 0
    local written = call('ZSCORE', key, '!written')
    if not written then return end
    local by = -tonumber(written) - now
    if by > 0 then move_back(by) end
    live = call('ZCOUNT', key, '(' .. whole(now), '+inf')
  end

  -- When enough leases will have ended, if nobody gives back or renews.
  function self.earliest(cost)
    local excess = live + cost - limit
    if excess <= 0 then return now end
    local found = call('ZRANGEBYSCORE', key, '(' .. whole(now), '+inf',
      'WITHSCORES', 'LIMIT', excess - 1, 1)
    return tonumber(found[2])
  end

  function self.take(cost, at, permit)
    drop_ended()
    hold(cost, permit, at + lease)
    live = live + cost
  end

  -- A refused call holds nothing.
  function self.penalize() end

  function self.standing()
    return max(0, limit - live), live > 0 and last_end() - now or 0
  end

  function self.renew(cost, permit)
    if not is_held(cost, permit) then return false end
    hold(cost, permit, now + lease)
    return true
  end

  function self.refund(cost, _, permit)
    if not is_held(cost, permit) then return false end
    for i = 1, cost do call('ZREM', key, permit .. ':' .. i) end
    drop_ended()
    if last_end() <= now then call('UNLINK', key) end
    return true
  end

  return self
end
-- An object for each policy of a rule. Nothing when the calendar's edges do not reach to now: it cannot be read then.
local function algorithms_of(policies)
  local makers = {
    exact = function(policy) return exact_algorithm(policy.limit, policy.window) end,
    window = function(policy) return window_algorithm(policy.limit, policy.slice, policy.slices) end,
    smooth = function(policy) return smooth_algorithm(policy.interval, policy.burst, policy.window) end,
    fixed = function(policy) return fixed_algorithm(policy.limit, policy.window) end,
    calendar = function(policy) return fixed_algorithm(policy.limit, nil, policy.edges) end,
    concurrency = function(policy) return concurrency_algorithm(policy.limit, policy.lease) end
  }
  local algorithms = {}
  for i = 1, #policies do
    local edges = policies[i].edges
    if edges and (now < edges[1] or now >= edges[#edges - 1]) then return nil end
    algorithms[i] = makers[policies[i].algorithm](policies[i])
  end
  return algorithms
end
local algorithms = algorithms_of(cjson.decode(ARGV[2]).policies)
if not algorithms then return { -1, now } end
local given, is_any, failure, is_read = {}, false, nil, false
for i = 1, (#ARGV - 4) / 4 do given[i] = 0 end

local function give_back(algorithm, key)
  algorithm.read(key)
  for i = 1, #given do
    local word = 1 + 4 * i
    local cost, decided, wait = tonumber(ARGV[word]), tonumber(ARGV[word + 1]), tonumber(ARGV[word + 2])
    if algorithm.refund(cost, decided + wait, ARGV[word + 3]) then given[i], is_any = 1, true end
  end
  if algorithm.flush then algorithm.flush() end
end

for i, algorithm in ipairs(algorithms) do
  -- What one policy's key holds is nothing to the others.
  local is_done, reason = pcall(give_back, algorithm, KEYS[i])
  if is_done then is_read = true else failure = reason end
end
if failure and not is_read then error(failure) end
if is_any then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
return given
` },
  limitRenew: { name: 'limit-renew', keys: 'n', lua: `--[[ Prolongs the permits of one call to a full lease from now.
  KEYS[1..] the states of the rule's concurrency policies
  ARGV[1] now, us, for tests   ARGV[2] the rule with those policies only, JSON   ARGV[3] cost   ARGV[4] permit
  Returns 1 prolonged | 0 had ended ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
-- What the algorithms have in common. Each is a function that makes an object for one policy; \`read\` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first \`length\` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the \`from\`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For what cannot have been written here; the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
-- So many at the same time: permits in a sorted set by when their lease ends. '!written' has a score below 0.
local function concurrency_algorithm(limit, lease)
  local self = { capacity = limit }
  local key, live

  local function last_end()
    local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
    return last[2] and tonumber(last[2]) or 0
  end

  local function save()
    call('ZADD', key, whole(-now), '!written')
    call('PEXPIRE', key, life_of(last_end() - now))
  end

  -- The server's clock was set back; see exact.
  local function move_back(by)
    local members = call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #members, 2 do
      local ends = tonumber(members[i + 1])
      if ends > 0 then call('ZADD', key, whole(max(1, ends - by)), members[i]) end
    end
    save()
  end

  local function drop_ended()
    call('ZREMRANGEBYSCORE', key, '(0', whole(now))
  end

  local function hold(cost, permit, ends)
    for i = 1, cost do call('ZADD', key, whole(ends), permit .. ':' .. i) end
    save()
  end

  -- False when one of the permits has ended.
  local function is_held(cost, permit)
    for i = 1, cost do
      local ends = call('ZSCORE', key, permit .. ':' .. i)
      if not ends or tonumber(ends) <= now then return false end
    end
    return true
  end

  function self.read(at_key)
    key, live = at_key, 0
    local written = call('ZSCORE', key, '!written')
    if not written then return end
    local by = -tonumber(written) - now
    if by > 0 then move_back(by) end
    live = call('ZCOUNT', key, '(' .. whole(now), '+inf')
  end

  -- When enough leases will have ended, if nobody gives back or renews.
  function self.earliest(cost)
    local excess = live + cost - limit
    if excess <= 0 then return now end
    local found = call('ZRANGEBYSCORE', key, '(' .. whole(now), '+inf',
      'WITHSCORES', 'LIMIT', excess - 1, 1)
    return tonumber(found[2])
  end

  function self.take(cost, at, permit)
    drop_ended()
    hold(cost, permit, at + lease)
    live = live + cost
  end

  -- A refused call holds nothing.
  function self.penalize() end

  function self.standing()
    return max(0, limit - live), live > 0 and last_end() - now or 0
  end

  function self.renew(cost, permit)
    if not is_held(cost, permit) then return false end
    hold(cost, permit, now + lease)
    return true
  end

  function self.refund(cost, _, permit)
    if not is_held(cost, permit) then return false end
    for i = 1, cost do call('ZREM', key, permit .. ':' .. i) end
    drop_ended()
    if last_end() <= now then call('UNLINK', key) end
    return true
  end

  return self
end
local cost, permit = tonumber(ARGV[3]), ARGV[4]
local is_held = 1
for i, policy in ipairs(cjson.decode(ARGV[2]).policies) do
  local permits = concurrency_algorithm(policy.limit, policy.lease)
  permits.read(KEYS[i])
  if not permits.renew(cost, permit) then is_held = 0 end
end
return is_held
` },
  limitReset: { name: 'limit-reset', keys: 'n', lua: `--[[ Forgets what is known of a key, and says so to everybody.
  KEYS[1..] the states of the policies, and the block
  ARGV[1] channel   ARGV[2] message
  Returns how many there were ]]
local count = 0
for i = 1, #KEYS do count = count + redis.call('UNLINK', KEYS[i]) end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return count
` },
  limitSmooth: { name: 'limit-smooth', keys: 'n', lua: `--[[ Decides calls under a rule with a single policy, without penalty and block; see includes/limit-smooth.lua.
  KEYS[1..] for each call: the state, then the block
  ARGV[1] now, us, for tests   ARGV[2] the longest wait, us   ARGV[3] limit   ARGV[4] the policy's other numbers, joined
  ARGV[5..] for each call: its cost, then '?' to look only; left out when all cost 1
  Returns as limit-decide-n.lua ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
-- What the algorithms have in common. Each is a function that makes an object for one policy; \`read\` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first \`length\` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the \`from\`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For what cannot have been written here; the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
-- A bucket of \`burst\` permits that gets one back every interval (GCRA): one number, the time when the bucket is full again.
-- In a window it lets in \`burst\` + window / interval - 1 at most.
--
-- Under another interval the same time stands for another number of calls, so the state says under which it was written.
-- After a change the bucket keeps its debt in calls, as far as it can hold it; and until all that the old bucket let in has
-- left the window, that much (the most it can have been) counts beside what the new one lets in, turns after that time too:
-- the limit may be changed again before they come.
--
-- State: when the bucket is full, when written, when it expires, time of the latest admission and its cost if it can be
-- taken back, interval and burst, and what counts from before a change, and until when.
local function smooth_algorithm(interval, burst, window)
  local layout, width = '>ddddddddd', 72
  local most = burst + math.ceil(window / interval) - 1
  local self = { capacity = burst }
  local key, full, expires, last, last_cost, carried, carried_until
  local in_interval, in_burst

  local function save()
    local bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
    local ends = max(full, last + window, carried_until)
    if ends > expires then
      expires = now + with_slack(ends - now)
      bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
      call('SET', key, bytes, 'PX', life_of(expires - now))
    else
      call('SETRANGE', key, '0', bytes)
    end
  end

  local function adopt()
    if carried_until <= now then
      carried = 0
      -- A call that is still in the window came when the bucket had at least its present debt less than a window ago.
      if last + window > now then carried = max(0, math.ceil((full - now + window) / in_interval) - 1) end
    end
    carried_until = last + window
    local from = max(now, last)
    local debt = math.ceil(max(0, full - from) * interval / in_interval)
    full = from + math.min(debt, burst * interval)
    in_interval, in_burst = interval, burst
  end

  function self.read(at_key)
    key, full, expires, last, last_cost, carried, carried_until = at_key, 0, 0, 0, 0, 0, 0
    in_interval, in_burst = interval, burst
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= width then spoilt() end
    local written
    full, written, expires, last, last_cost, in_interval, in_burst, carried, carried_until = unpacked(layout, bytes)
    local by, is_same = max(0, written - now), in_interval == interval and in_burst == burst
    if by == 0 and is_same then
      if carried_until <= now then carried, carried_until = 0, 0 end
      return
    end
    -- The server's clock was set back; see exact.
    full, last, carried_until = max(0, full - by), max(0, last - by), max(0, carried_until - by)
    if not is_same then adopt() end
    if carried_until <= now then carried, carried_until = 0, 0 end
    save()
  end

  function self.earliest(cost)
    local at = full + (cost - burst) * interval
    if at < now then at = now end
    if at < carried_until and carried + cost > most then return carried_until end
    return at
  end

  function self.take(cost, at)
    full = (full > at and full or at) + cost * interval
    if carried_until > now then carried = carried + cost end
    last, last_cost = max(last, at), at < last and 0 or cost
    save()
  end

  -- The bucket is emptied, and not more: else who keeps trying would stay out for longer than a full refill.
  function self.penalize(cost)
    local charged = max(full, now) + cost * interval
    full = max(full, math.min(charged, now + burst * interval))
    last_cost = 0
    save()
  end

  function self.standing()
    local missing = full > now and full - now or 0
    local left = max(0, floor(burst - missing / interval))
    if carried_until <= now then return left, missing end
    return max(0, math.min(left, most - carried)), max(missing, carried_until - now)
  end

  -- After a later admission nobody can say what of the debt is whose. Turns ahead follow each other without a pause, so the
  -- last of them is known by when it comes; once it is given back, the one before it is the last.
  function self.refund(cost, at)
    local is_last_turn = at > now and at == full - burst * interval
    if full <= now or not (is_last_turn or last == at and last_cost == cost) then return false end
    carried = max(0, carried - cost)
    full, last_cost = full - cost * interval, 0
    last = math.min(last, max(now, full - burst * interval, carried_until))
    save()
    return true
  end

  function self.reward(points)
    if full <= now then return 0 end
    local given = math.min(points, math.ceil((full - now) / interval))
    full, last_cost, carried = max(now, full - given * interval), 0, max(0, carried - given)
    save()
    return given
  end

  return self
end
-- Blocks: until when a key admits nothing, whatever is left. State: when it ends, the policy that it is for (from 1 on), and
-- how long it was meant to last.
local block_layout = '>I7I2I7'
-- Mostly nobody is blocked, and then one look at all keys of a script will do.
local has_blocks = false

-- Looks whether any call's key is blocked; that of a block is the last of the \`stride\` keys of each call.
local function look_for_blocks(stride)
  local keys = {}
  for i = stride, #KEYS, stride do keys[#keys + 1] = KEYS[i] end
  for from = 1, #keys, at_a_time do
    local to = math.min(#keys, from + at_a_time - 1)
    if call('EXISTS', unpack(keys, from, to)) > 0 then has_blocks = true end
  end
end

local function block_until(key, ends, by)
  call('SET', key, pack(block_layout, ends, by, ends - now), 'PX', life_of(ends - now))
  has_blocks = true
end

-- Until when a key is blocked, and for which of \`count\` policies.
local function block_of(key, count)
  if not has_blocks then return 0, 0 end
  local bytes = call('GET', key)
  if not bytes then return 0, 0 end
  if #bytes ~= 16 then spoilt() end
  local ends, by, length = unpacked(block_layout, bytes)
  -- Where the server's clock was set back: a block is never longer than it was meant to be.
  return math.min(ends, now + length), max(1, math.min(by, count))
end
-- What went wrong, as a line of text, for replies in which each key has a result of its own.
local function text_of(reason)
  local text = type(reason) == 'table' and reason.err or reason
  return (string.gsub(string.sub(text, 1, 200), '[\\r\\n]', ' '))
end
-- What the decide scripts answer: the time, then for each call as many numbers as there are fields, packed; and behind them
-- a line of text for each call that failed. One key that cannot be read, or one write that is refused, fails its own call
-- and no other.
-- \`decide(i, reply, at)\` writes the fields of the i-th call behind the position \`at\`.
local function decide_each(calls, fields, decide)
  local reply, errors = { now }, {}
  for i = 1, calls do
    local at = 1 + (i - 1) * fields
    local is_decided, reason = pcall(decide, i, reply, at)
    if not is_decided then
      for field = 2, fields do reply[at + field] = 0 end
      reply[at + 1] = -2
      errors[#errors + 1] = text_of(reason)
    end
  end
  return packed(reply, 1 + calls * fields) .. table.concat(errors, '\\n')
end
-- Decides calls under a single policy; what lua/limit-decide-n.lua does, without what only several policies need.
local function decide_under(policy)
  local read, earliest, take, standing = policy.read, policy.earliest, policy.take, policy.standing
  local capacity, max_wait = policy.capacity, tonumber(ARGV[2])
  look_for_blocks(2)

  local function decide(i, reply, at)
    -- Mostly all calls cost 1, and then no costs are sent.
    local word = ARGV[4 + i] or 1
    local cost = tonumber(word)
    local is_look = false
    if not cost then
      is_look = string.sub(word, -1) == '?'
      cost = tonumber(string.match(word, '^%d+'))
    end
    read(KEYS[2 * i - 1])
    local status, wait, refusing = 1, 0, -1
    local blocked = block_of(KEYS[2 * i], 1)
    if blocked > now then
      status, wait, refusing = 0, blocked - now, 0
    elseif cost > capacity then
      status, refusing = -1, 0
    elseif cost > 0 then
      local turn = earliest(cost)
      wait = turn - now
      if wait > max_wait then
        status, wait, refusing = 0, wait - max_wait, 0
      elseif not is_look then
        take(cost, turn)
      end
    end
    reply[at + 1], reply[at + 2], reply[at + 3] = status, wait, refusing
    reply[at + 4], reply[at + 5] = standing()
  end

  return decide_each(#KEYS / 2, 5, decide)
end
local interval, burst, window = string.match(ARGV[4], '^(%d+) (%d+) (%d+)$')
return decide_under(smooth_algorithm(tonumber(interval), tonumber(burst), tonumber(window)))
` },
  limitWindow: { name: 'limit-window', keys: 'n', lua: `--[[ Decides calls under a rule with a single policy, without penalty and block; see includes/limit-window.lua.
  KEYS[1..] for each call: the state, then the block
  ARGV[1] now, us, for tests   ARGV[2] the longest wait, us   ARGV[3] limit   ARGV[4] the policy's other numbers, joined
  ARGV[5..] for each call: its cost, then '?' to look only; left out when all cost 1
  Returns as limit-decide-n.lua ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
-- What the algorithms have in common. Each is a function that makes an object for one policy; \`read\` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first \`length\` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the \`from\`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For what cannot have been written here; the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
-- Never more than the limit in any window: counts by slice of time, newest first.
--
-- A window of B slices touches at most B + 1 of them; all of those are counted, so what is let in never exceeds the limit,
-- and at least limit * B / (B + 1) get in. State: slice width, slices a window, when written, when it expires, number of
-- the newest slice, the sum of all that counted when written, and the counts from the newest slice to the oldest one.
--
-- Where calls wait for their turn, slices lie ahead by the thousand. So a call reads the newest ones only, writes a count in
-- place or puts a new one before the others as they are, and takes the sum as it was written while no slice has passed.
local function window_algorithm(limit, slice, slices)
  local current = floor(now / slice)
  local oldest = current - slices
  local header, layout = 48, '>ddddddd'
  -- Nobody reserves as far ahead as this many slices.
  local furthest = current + 262144
  local self = { capacity = limit }
  -- Of the key: its bytes, the newest slice and its count (absent when nothing counts), what was admitted in the window that
  -- ends now, and the counts as far as they were read.
  local key, bytes, expires, top, top_count, used, counts
  local is_given_back = false

  local function length()
    return (#bytes - header) / 8
  end

  -- Reads the newest \`most\` counts, or all.
  local function load_counts(most)
    local count = math.min(most or length(), length())
    if #counts >= count then return end
    counts = numbers_in(string.sub(bytes, 1, header + 8 * count), header + 1)
    counts[1] = top_count
  end

  local function count_of(number)
    if number > top then return 0 end
    return counts[top - number + 1] or 0
  end

  -- The sum of all counts from a slice on that were read.
  local function sum_from(first)
    local sum = 0
    for i = 1, math.min(#counts, top - first + 1) do sum = sum + counts[i] end
    return sum
  end

  -- Writes it all anew; \`older\` are the bytes of the counts behind those that were read.
  local function save_all(older)
    expires = now + with_slack((top + slices + 1) * slice - now)
    bytes = pack('>dddddd', slice, slices, now, expires, top, used) .. packed(counts, #counts) .. older
    top_count = counts[1]
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- Adds to a slice that is not older than the newest one.
  local function add(number, cost)
    used = used + cost
    if number == top and (top + slices + 1) * slice <= expires then
      top_count = top_count + cost
      counts[1] = top_count
      call('SETRANGE', key, '0', pack(layout, slice, slices, now, expires, top, used, top_count))
      return
    end
    if number == top then
      load_counts()
      counts[1] = top_count + cost
      return save_all('')
    end
    -- What does not count any more is left behind.
    local kept = top and max(0, math.min(length(), top - oldest + 1)) or 0
    counts = { cost }
    local older = ''
    if kept > 0 then
      for _ = top + 1, number - 1 do counts[#counts + 1] = 0 end
      older = pack('>d', top_count) .. string.sub(bytes, header + 9, header + 8 * kept)
    end
    top = number
    save_all(older)
  end

  -- Slices of another width cannot be told apart any more: all that still counts is taken to be in one slice, the latest
  -- it can have been in.
  local function put_in_one(width, per_window)
    local present = floor(now / width)
    local sum = sum_from(present - per_window)
    local latest = now
    if top > present then latest = (top + 1) * width - 1 end
    top, counts = nil, {}
    if sum > 0 then top, counts = floor(latest / slice), { sum } end
  end

  -- What does not go on as it was written.
  local function repair(width, per_window, by)
    load_counts()
    -- The server's clock was set back; see exact.
    if by > 0 then top = top - floor(by / width) end
    if width ~= slice then put_in_one(width, per_window) end
    if not top then return call('UNLINK', key) end
    used = sum_from(oldest)
    if by > 0 or width ~= slice then save_all('') end
  end

  function self.read(at_key)
    key, top, used, counts = at_key, nil, 0, {}
    bytes = call('GET', key)
    if not bytes then return end
    if #bytes < header + 8 or #bytes % 8 ~= 0 then spoilt() end
    local width, per_window, written, sum
    width, per_window, written, expires, top, sum, top_count = unpacked(layout, bytes)
    local newest = top * width - max(0, written - now)
    if not (width > 0 and newest / slice < furthest) then spoilt() end
    if width == slice and per_window == slices and written <= now and floor(written / slice) == current then
      used = sum
    else
      repair(width, per_window, written - now)
    end
  end

  function self.earliest(cost)
    if used + cost <= limit and (not top or top <= current) then return now end
    load_counts(slices + 1)
    local at = max(current, top)
    local sum = sum_from(at - slices)
    -- Once all have left the sum is 0, and the cost is no more than the limit.
    local last = at + slices
    while sum + cost > limit and at <= last do
      sum = sum - count_of(at - slices)
      at = at + 1
    end
    return max(now, at * slice)
  end

  function self.take(cost, at)
    add(floor(at / slice), cost)
  end

  function self.penalize(cost)
    local number = max(current, top or 0)
    local before = number == top and top_count or 0
    add(number, max(before, math.min(limit, before + cost)) - before)
  end

  function self.standing()
    if not top then return limit, 0 end
    return max(0, limit - used), max(0, (top + slices + 1) * slice - now)
  end

  -- Written by \`flush\`, so that many can be given back at once.
  function self.refund(cost, at)
    local number = floor(at / slice)
    if not top or number < oldest then return false end
    load_counts()
    if count_of(number) < cost then return false end
    local index = top - number + 1
    counts[index] = counts[index] - cost
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not top then return 0 end
    load_counts()
    local left = points
    for i = 1, math.min(#counts, top - oldest + 1) do
      local given = math.min(left, counts[i])
      counts[i], left = counts[i] - given, left - given
    end
    is_given_back = left < points
    return points - left
  end

  function self.flush()
    if not is_given_back then return end
    local first, last = 1, math.min(#counts, top - oldest + 1)
    while first <= last and counts[first] == 0 do first = first + 1 end
    if first > last then return call('UNLINK', key) end
    top = top - first + 1
    local kept = {}
    for i = first, last do kept[i - first + 1] = counts[i] end
    counts = kept
    used = sum_from(oldest)
    save_all('')
  end

  return self
end
-- Blocks: until when a key admits nothing, whatever is left. State: when it ends, the policy that it is for (from 1 on), and
-- how long it was meant to last.
local block_layout = '>I7I2I7'
-- Mostly nobody is blocked, and then one look at all keys of a script will do.
local has_blocks = false

-- Looks whether any call's key is blocked; that of a block is the last of the \`stride\` keys of each call.
local function look_for_blocks(stride)
  local keys = {}
  for i = stride, #KEYS, stride do keys[#keys + 1] = KEYS[i] end
  for from = 1, #keys, at_a_time do
    local to = math.min(#keys, from + at_a_time - 1)
    if call('EXISTS', unpack(keys, from, to)) > 0 then has_blocks = true end
  end
end

local function block_until(key, ends, by)
  call('SET', key, pack(block_layout, ends, by, ends - now), 'PX', life_of(ends - now))
  has_blocks = true
end

-- Until when a key is blocked, and for which of \`count\` policies.
local function block_of(key, count)
  if not has_blocks then return 0, 0 end
  local bytes = call('GET', key)
  if not bytes then return 0, 0 end
  if #bytes ~= 16 then spoilt() end
  local ends, by, length = unpacked(block_layout, bytes)
  -- Where the server's clock was set back: a block is never longer than it was meant to be.
  return math.min(ends, now + length), max(1, math.min(by, count))
end
-- What went wrong, as a line of text, for replies in which each key has a result of its own.
local function text_of(reason)
  local text = type(reason) == 'table' and reason.err or reason
  return (string.gsub(string.sub(text, 1, 200), '[\\r\\n]', ' '))
end
-- What the decide scripts answer: the time, then for each call as many numbers as there are fields, packed; and behind them
-- a line of text for each call that failed. One key that cannot be read, or one write that is refused, fails its own call
-- and no other.
-- \`decide(i, reply, at)\` writes the fields of the i-th call behind the position \`at\`.
local function decide_each(calls, fields, decide)
  local reply, errors = { now }, {}
  for i = 1, calls do
    local at = 1 + (i - 1) * fields
    local is_decided, reason = pcall(decide, i, reply, at)
    if not is_decided then
      for field = 2, fields do reply[at + field] = 0 end
      reply[at + 1] = -2
      errors[#errors + 1] = text_of(reason)
    end
  end
  return packed(reply, 1 + calls * fields) .. table.concat(errors, '\\n')
end
-- Decides calls under a single policy; what lua/limit-decide-n.lua does, without what only several policies need.
local function decide_under(policy)
  local read, earliest, take, standing = policy.read, policy.earliest, policy.take, policy.standing
  local capacity, max_wait = policy.capacity, tonumber(ARGV[2])
  look_for_blocks(2)

  local function decide(i, reply, at)
    -- Mostly all calls cost 1, and then no costs are sent.
    local word = ARGV[4 + i] or 1
    local cost = tonumber(word)
    local is_look = false
    if not cost then
      is_look = string.sub(word, -1) == '?'
      cost = tonumber(string.match(word, '^%d+'))
    end
    read(KEYS[2 * i - 1])
    local status, wait, refusing = 1, 0, -1
    local blocked = block_of(KEYS[2 * i], 1)
    if blocked > now then
      status, wait, refusing = 0, blocked - now, 0
    elseif cost > capacity then
      status, refusing = -1, 0
    elseif cost > 0 then
      local turn = earliest(cost)
      wait = turn - now
      if wait > max_wait then
        status, wait, refusing = 0, wait - max_wait, 0
      elseif not is_look then
        take(cost, turn)
      end
    end
    reply[at + 1], reply[at + 2], reply[at + 3] = status, wait, refusing
    reply[at + 4], reply[at + 5] = standing()
  end

  return decide_each(#KEYS / 2, 5, decide)
end
local slice, slices = string.match(ARGV[4], '^(%d+) (%d+)$')
return decide_under(window_algorithm(tonumber(ARGV[3]), tonumber(slice), tonumber(slices)))
` },
  lockAcquire: { name: 'lock-acquire', keys: 'n', lua: `--[[ Takes locks, or places in their queues; each by itself.
  KEYS[1..] for each lock: the lock, its queue, its waiters
  ARGV[1] inbox channel   ARGV[2] now, us, for tests
  ARGV[3] lease, ms   ARGV[4] permits   ARGV[5] heartbeat, ms; 0 not to wait
  ARGV[6..] for each lock: mode (w, r, p) and owner, or where the three are others, "lease,permits,heartbeat," before that
  Returns doubles, packed, three for each lock: 1, fence, 0 granted | 0, ms to ask again in, place in the queue from 0, or -1
  held | 2, 0, 0 failed; then a line of text for each that failed ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, with the last fence as a reserved member of a score below
-- zero, so that losing it is all or nothing; and, while somebody waits, a sorted set of waiters by ticket and a hash of
-- each waiter's sign of life. Members begin with the mode: w, r or p; P, a number and a comma for several permits. All times
-- are microseconds.
local FENCE = '!fence'
-- There while weights have to be added up, because somebody may hold several permits.
local WEIGHTED = '!weighted'
local DEAD_AT_ONCE = 1000
-- A lock is remembered until the clock has passed its last lease, and its last fence, by an hour. Fences follow the clock,
-- so one that is forgotten by then comes again only if the clock is set back by more than that.
local REMEMBERED_MS = 3600000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

local function mode_of(member)
  return string.lower(string.sub(member, 1, 1))
end

local function weight_of(member)
  return tonumber(string.match(member, '^P(%d+),')) or 1
end

-- How much is held, of \`head\` as \`open_lock\` reads it.
local function held_in(lock, is_weighted)
  if not is_weighted then return redis.call('ZCARD', lock) - 1 end
  local held = 0
  for _, member in ipairs(redis.call('ZRANGE', lock, 2, -1)) do held = held + weight_of(member) end
  return held
end

-- Forgets holders whose lease has ended. Returns the last fence, how much is held, and the first one to end with its end.
local function open_lock(lock, now)
  local head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  if not head[1] then return 0, 0 end
  local is_weighted = head[3] == WEIGHTED
  local at = is_weighted and 5 or 3
  if head[at] and tonumber(head[at + 1]) <= now then
    redis.call('ZREMRANGEBYSCORE', lock, 0, whole(now))
    head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  end
  local last = -tonumber(head[2])
  if head[at] then return last, held_in(lock, is_weighted), head[at], tonumber(head[at + 1]) end
  if is_weighted then redis.call('ZREM', lock, WEIGHTED) end
  return last, 0
end

-- The next fence: above the last one, and not below the clock, so that a lock whose memory was lost repeats none.
local function next_fence(last, now)
  return math.max(last + 1, now)
end

-- Has the lock live for as long as what is in it matters. \`may_shorten\`: nobody else holds it.
local function remember(lock, ends, fence, now, may_shorten)
  local life = ms_until(math.max(ends, fence), now) + REMEMBERED_MS
  if may_shorten or redis.call('PTTL', lock) < life then redis.call('PEXPIRE', lock, whole(life)) end
end

-- Writes a holder with the end of its lease, and the last fence. A lease that is held already never becomes shorter.
local function hold(lock, member, lease, fence, now, held_until)
  local ends = math.max(now + lease * 1000, held_until or 0)
  redis.call('ZADD', lock, -fence, FENCE, ends, member)
  if weight_of(member) > 1 then redis.call('ZADD', lock, -1, WEIGHTED) end
  remember(lock, ends, fence, now, mode_of(member) == 'w')
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(held, first, member, permits)
  if held == 0 then return true end
  local mode = mode_of(member)
  if mode == 'w' or mode_of(first) ~= mode then return false end
  return mode == 'r' or held + weight_of(member) <= permits
end

-- A waiter's sign of life: the end of its time, its heartbeat in ms, and where to wake it.
local function sign_of_life(ends, heartbeat, inbox)
  return whole(ends) .. '|' .. whole(heartbeat) .. '|' .. inbox
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    local ends, heartbeat, inbox = string.match(sign or '', '^(%d+)|(%d+)|(.*)$')
    ends, heartbeat = tonumber(ends), tonumber(heartbeat)
    if ends and ends > now then
      local latest = now + 2000 * heartbeat
      -- The clock was set back. A live waiter will show itself again; a dead one is not to stand here until that time.
      if ends > latest then
        ends = latest
        redis.call('HSET', waiters, head, sign_of_life(ends, heartbeat, inbox))
      end
      return head, ends, inbox
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
-- What went wrong, as a line of text, for replies in which each key has a result of its own.
local function text_of(reason)
  local text = type(reason) == 'table' and reason.err or reason
  return (string.gsub(string.sub(text, 1, 200), '[\\r\\n]', ' '))
end
local inbox = ARGV[1]
local now = clock_us(ARGV[2])

local function acquire(lock, queue, waiters, member, lease, permits, heartbeat)
  local is_writer = mode_of(member) == 'w'
  local last, held, first, first_ends = open_lock(lock, now)

  -- A reply got lost, or the request came twice. Holding alone, the last fence is this owner's own.
  local held_until = held > 0 and redis.call('ZSCORE', lock, member)
  if held_until then
    local fence = is_writer and last or next_fence(last, now)
    hold(lock, member, lease, fence, now, tonumber(held_until))
    return 1, fence, 0
  end

  local head, head_ends = nil, nil
  local is_queued = redis.call('EXISTS', queue) == 1
  if is_queued then head, head_ends = head_of(queue, waiters, now) end

  if admits(held, first, member, permits) and (not head or head == member) then
    local fence = next_fence(last, now)
    hold(lock, member, lease, fence, now)
    if is_queued then
      redis.call('ZREM', queue, member)
      redis.call('HDEL', waiters, member)
      -- The next one may fit beside this one.
      if not is_writer then wake_head(queue, waiters, now) end
    end
    return 1, fence, 0
  end

  -- The next change that comes by itself: a lease ends, or the head is found dead.
  local ask_at = first_ends
  if head and head ~= member and (not ask_at or head_ends < ask_at) then ask_at = head_ends end
  if heartbeat == 0 then return 0, ask_at and ms_until(ask_at, now) or 1, -1 end

  -- The sign before the place: if it cannot be written, nobody stands in the queue for ever.
  redis.call('HSET', waiters, member, sign_of_life(now + 2000 * heartbeat, heartbeat, inbox))
  if not redis.call('ZSCORE', queue, member) then
    local newest = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    redis.call('ZADD', queue, whole(math.max(now, tonumber(newest or '0') + 1)), member)
  end
  redis.call('PEXPIRE', queue, whole(4 * heartbeat))
  redis.call('PEXPIRE', waiters, whole(4 * heartbeat))
  local ask_in = ask_at and math.min(ms_until(ask_at, now), heartbeat) or heartbeat
  return 0, ask_in, redis.call('ZRANK', queue, member)
end

local usual_lease, usual_permits, usual_heartbeat = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local reply, errors = {}, {}
for i = 1, #KEYS / 3 do
  local k = 3 * i
  local lease, permits, heartbeat, member = string.match(ARGV[i + 5], '^(%d+),(%d+),(%d+),(.*)$')
  -- What is wrong with one lock is no matter of the others.
  local is_answered, kind, detail, place = pcall(acquire, KEYS[k - 2], KEYS[k - 1], KEYS[k], member or ARGV[i + 5],
    tonumber(lease) or usual_lease, tonumber(permits) or usual_permits, tonumber(heartbeat) or usual_heartbeat)
  if not is_answered then
    errors[#errors + 1] = text_of(kind)
    kind, detail, place = 2, 0, 0
  end
  reply[i] = struct.pack('>ddd', kind, detail, place)
end
return table.concat(reply) .. table.concat(errors, '\\n')
` },
  lockInspect: { name: 'lock-inspect', keys: 2, lua: `--[[ Looks at a lock and changes nothing.
  KEYS[1] lock   KEYS[2] queue
  ARGV[1] now, us, for tests
  Returns {fence, waiters, holder, ms left, holder, ms left, ...} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, with the last fence as a reserved member of a score below
-- zero, so that losing it is all or nothing; and, while somebody waits, a sorted set of waiters by ticket and a hash of
-- each waiter's sign of life. Members begin with the mode: w, r or p; P, a number and a comma for several permits. All times
-- are microseconds.
local FENCE = '!fence'
-- There while weights have to be added up, because somebody may hold several permits.
local WEIGHTED = '!weighted'
local DEAD_AT_ONCE = 1000
-- A lock is remembered until the clock has passed its last lease, and its last fence, by an hour. Fences follow the clock,
-- so one that is forgotten by then comes again only if the clock is set back by more than that.
local REMEMBERED_MS = 3600000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

local function mode_of(member)
  return string.lower(string.sub(member, 1, 1))
end

local function weight_of(member)
  return tonumber(string.match(member, '^P(%d+),')) or 1
end

-- How much is held, of \`head\` as \`open_lock\` reads it.
local function held_in(lock, is_weighted)
  if not is_weighted then return redis.call('ZCARD', lock) - 1 end
  local held = 0
  for _, member in ipairs(redis.call('ZRANGE', lock, 2, -1)) do held = held + weight_of(member) end
  return held
end

-- Forgets holders whose lease has ended. Returns the last fence, how much is held, and the first one to end with its end.
local function open_lock(lock, now)
  local head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  if not head[1] then return 0, 0 end
  local is_weighted = head[3] == WEIGHTED
  local at = is_weighted and 5 or 3
  if head[at] and tonumber(head[at + 1]) <= now then
    redis.call('ZREMRANGEBYSCORE', lock, 0, whole(now))
    head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  end
  local last = -tonumber(head[2])
  if head[at] then return last, held_in(lock, is_weighted), head[at], tonumber(head[at + 1]) end
  if is_weighted then redis.call('ZREM', lock, WEIGHTED) end
  return last, 0
end

-- The next fence: above the last one, and not below the clock, so that a lock whose memory was lost repeats none.
local function next_fence(last, now)
  return math.max(last + 1, now)
end

-- Has the lock live for as long as what is in it matters. \`may_shorten\`: nobody else holds it.
local function remember(lock, ends, fence, now, may_shorten)
  local life = ms_until(math.max(ends, fence), now) + REMEMBERED_MS
  if may_shorten or redis.call('PTTL', lock) < life then redis.call('PEXPIRE', lock, whole(life)) end
end

-- Writes a holder with the end of its lease, and the last fence. A lease that is held already never becomes shorter.
local function hold(lock, member, lease, fence, now, held_until)
  local ends = math.max(now + lease * 1000, held_until or 0)
  redis.call('ZADD', lock, -fence, FENCE, ends, member)
  if weight_of(member) > 1 then redis.call('ZADD', lock, -1, WEIGHTED) end
  remember(lock, ends, fence, now, mode_of(member) == 'w')
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(held, first, member, permits)
  if held == 0 then return true end
  local mode = mode_of(member)
  if mode == 'w' or mode_of(first) ~= mode then return false end
  return mode == 'r' or held + weight_of(member) <= permits
end

-- A waiter's sign of life: the end of its time, its heartbeat in ms, and where to wake it.
local function sign_of_life(ends, heartbeat, inbox)
  return whole(ends) .. '|' .. whole(heartbeat) .. '|' .. inbox
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    local ends, heartbeat, inbox = string.match(sign or '', '^(%d+)|(%d+)|(.*)$')
    ends, heartbeat = tonumber(ends), tonumber(heartbeat)
    if ends and ends > now then
      local latest = now + 2000 * heartbeat
      -- The clock was set back. A live waiter will show itself again; a dead one is not to stand here until that time.
      if ends > latest then
        ends = latest
        redis.call('HSET', waiters, head, sign_of_life(ends, heartbeat, inbox))
      end
      return head, ends, inbox
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
local now = clock_us(ARGV[1])
local reply = { -tonumber(redis.call('ZSCORE', KEYS[1], FENCE) or '0'), redis.call('ZCARD', KEYS[2]) }
local live = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. whole(now), '+inf', 'WITHSCORES')
for i = 1, #live, 2 do
  reply[#reply + 1] = live[i]
  reply[#reply + 1] = math.ceil((tonumber(live[i + 1]) - now) / 1000)
end
return reply
` },
  lockLeave: { name: 'lock-leave', keys: 3, lua: `--[[ Gives up: leaves the queue, and releases a grant whose reply came too late or never.
  KEYS[1] lock   KEYS[2] queue   KEYS[3] waiters
  ARGV[1] mode and owner   ARGV[2] now, us, for tests
  Returns 1 ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, with the last fence as a reserved member of a score below
-- zero, so that losing it is all or nothing; and, while somebody waits, a sorted set of waiters by ticket and a hash of
-- each waiter's sign of life. Members begin with the mode: w, r or p; P, a number and a comma for several permits. All times
-- are microseconds.
local FENCE = '!fence'
-- There while weights have to be added up, because somebody may hold several permits.
local WEIGHTED = '!weighted'
local DEAD_AT_ONCE = 1000
-- A lock is remembered until the clock has passed its last lease, and its last fence, by an hour. Fences follow the clock,
-- so one that is forgotten by then comes again only if the clock is set back by more than that.
local REMEMBERED_MS = 3600000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

local function mode_of(member)
  return string.lower(string.sub(member, 1, 1))
end

local function weight_of(member)
  return tonumber(string.match(member, '^P(%d+),')) or 1
end

-- How much is held, of \`head\` as \`open_lock\` reads it.
local function held_in(lock, is_weighted)
  if not is_weighted then return redis.call('ZCARD', lock) - 1 end
  local held = 0
  for _, member in ipairs(redis.call('ZRANGE', lock, 2, -1)) do held = held + weight_of(member) end
  return held
end

-- Forgets holders whose lease has ended. Returns the last fence, how much is held, and the first one to end with its end.
local function open_lock(lock, now)
  local head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  if not head[1] then return 0, 0 end
  local is_weighted = head[3] == WEIGHTED
  local at = is_weighted and 5 or 3
  if head[at] and tonumber(head[at + 1]) <= now then
    redis.call('ZREMRANGEBYSCORE', lock, 0, whole(now))
    head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  end
  local last = -tonumber(head[2])
  if head[at] then return last, held_in(lock, is_weighted), head[at], tonumber(head[at + 1]) end
  if is_weighted then redis.call('ZREM', lock, WEIGHTED) end
  return last, 0
end

-- The next fence: above the last one, and not below the clock, so that a lock whose memory was lost repeats none.
local function next_fence(last, now)
  return math.max(last + 1, now)
end

-- Has the lock live for as long as what is in it matters. \`may_shorten\`: nobody else holds it.
local function remember(lock, ends, fence, now, may_shorten)
  local life = ms_until(math.max(ends, fence), now) + REMEMBERED_MS
  if may_shorten or redis.call('PTTL', lock) < life then redis.call('PEXPIRE', lock, whole(life)) end
end

-- Writes a holder with the end of its lease, and the last fence. A lease that is held already never becomes shorter.
local function hold(lock, member, lease, fence, now, held_until)
  local ends = math.max(now + lease * 1000, held_until or 0)
  redis.call('ZADD', lock, -fence, FENCE, ends, member)
  if weight_of(member) > 1 then redis.call('ZADD', lock, -1, WEIGHTED) end
  remember(lock, ends, fence, now, mode_of(member) == 'w')
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(held, first, member, permits)
  if held == 0 then return true end
  local mode = mode_of(member)
  if mode == 'w' or mode_of(first) ~= mode then return false end
  return mode == 'r' or held + weight_of(member) <= permits
end

-- A waiter's sign of life: the end of its time, its heartbeat in ms, and where to wake it.
local function sign_of_life(ends, heartbeat, inbox)
  return whole(ends) .. '|' .. whole(heartbeat) .. '|' .. inbox
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    local ends, heartbeat, inbox = string.match(sign or '', '^(%d+)|(%d+)|(.*)$')
    ends, heartbeat = tonumber(ends), tonumber(heartbeat)
    if ends and ends > now then
      local latest = now + 2000 * heartbeat
      -- The clock was set back. A live waiter will show itself again; a dead one is not to stand here until that time.
      if ends > latest then
        ends = latest
        redis.call('HSET', waiters, head, sign_of_life(ends, heartbeat, inbox))
      end
      return head, ends, inbox
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
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
-- Whoever is next may fit now, or may have fitted behind a head that did not.
wake_head(KEYS[2], KEYS[3], clock_us(ARGV[2]))
return 1
` },
  lockRaise: { name: 'lock-raise', keys: 1, lua: `--[[ Raises the last fence while the owner holds: the second round of a quorum.
  KEYS[1] lock
  ARGV[1] mode and owner   ARGV[2] fence   ARGV[3] now, us, for tests
  Returns 1 raised | 0 is not held ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, with the last fence as a reserved member of a score below
-- zero, so that losing it is all or nothing; and, while somebody waits, a sorted set of waiters by ticket and a hash of
-- each waiter's sign of life. Members begin with the mode: w, r or p; P, a number and a comma for several permits. All times
-- are microseconds.
local FENCE = '!fence'
-- There while weights have to be added up, because somebody may hold several permits.
local WEIGHTED = '!weighted'
local DEAD_AT_ONCE = 1000
-- A lock is remembered until the clock has passed its last lease, and its last fence, by an hour. Fences follow the clock,
-- so one that is forgotten by then comes again only if the clock is set back by more than that.
local REMEMBERED_MS = 3600000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

local function mode_of(member)
  return string.lower(string.sub(member, 1, 1))
end

local function weight_of(member)
  return tonumber(string.match(member, '^P(%d+),')) or 1
end

-- How much is held, of \`head\` as \`open_lock\` reads it.
local function held_in(lock, is_weighted)
  if not is_weighted then return redis.call('ZCARD', lock) - 1 end
  local held = 0
  for _, member in ipairs(redis.call('ZRANGE', lock, 2, -1)) do held = held + weight_of(member) end
  return held
end

-- Forgets holders whose lease has ended. Returns the last fence, how much is held, and the first one to end with its end.
local function open_lock(lock, now)
  local head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  if not head[1] then return 0, 0 end
  local is_weighted = head[3] == WEIGHTED
  local at = is_weighted and 5 or 3
  if head[at] and tonumber(head[at + 1]) <= now then
    redis.call('ZREMRANGEBYSCORE', lock, 0, whole(now))
    head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  end
  local last = -tonumber(head[2])
  if head[at] then return last, held_in(lock, is_weighted), head[at], tonumber(head[at + 1]) end
  if is_weighted then redis.call('ZREM', lock, WEIGHTED) end
  return last, 0
end

-- The next fence: above the last one, and not below the clock, so that a lock whose memory was lost repeats none.
local function next_fence(last, now)
  return math.max(last + 1, now)
end

-- Has the lock live for as long as what is in it matters. \`may_shorten\`: nobody else holds it.
local function remember(lock, ends, fence, now, may_shorten)
  local life = ms_until(math.max(ends, fence), now) + REMEMBERED_MS
  if may_shorten or redis.call('PTTL', lock) < life then redis.call('PEXPIRE', lock, whole(life)) end
end

-- Writes a holder with the end of its lease, and the last fence. A lease that is held already never becomes shorter.
local function hold(lock, member, lease, fence, now, held_until)
  local ends = math.max(now + lease * 1000, held_until or 0)
  redis.call('ZADD', lock, -fence, FENCE, ends, member)
  if weight_of(member) > 1 then redis.call('ZADD', lock, -1, WEIGHTED) end
  remember(lock, ends, fence, now, mode_of(member) == 'w')
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(held, first, member, permits)
  if held == 0 then return true end
  local mode = mode_of(member)
  if mode == 'w' or mode_of(first) ~= mode then return false end
  return mode == 'r' or held + weight_of(member) <= permits
end

-- A waiter's sign of life: the end of its time, its heartbeat in ms, and where to wake it.
local function sign_of_life(ends, heartbeat, inbox)
  return whole(ends) .. '|' .. whole(heartbeat) .. '|' .. inbox
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    local ends, heartbeat, inbox = string.match(sign or '', '^(%d+)|(%d+)|(.*)$')
    ends, heartbeat = tonumber(ends), tonumber(heartbeat)
    if ends and ends > now then
      local latest = now + 2000 * heartbeat
      -- The clock was set back. A live waiter will show itself again; a dead one is not to stand here until that time.
      if ends > latest then
        ends = latest
        redis.call('HSET', waiters, head, sign_of_life(ends, heartbeat, inbox))
      end
      return head, ends, inbox
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
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends or tonumber(ends) <= now then return 0 end
local last = -tonumber(redis.call('ZSCORE', KEYS[1], FENCE) or '0')
local fence = math.max(last, tonumber(ARGV[2]))
redis.call('ZADD', KEYS[1], '-' .. whole(fence), FENCE)
-- It may be ahead of this server's clock, and then is remembered until that has passed it.
remember(KEYS[1], tonumber(ends), fence, now, false)
return 1
` },
  lockRelease: { name: 'lock-release', keys: 'n', lua: `--[[ Ends leases, and wakes who is next for each.
  KEYS[1..] for each lock: the lock, its queue, its waiters
  ARGV[1] now, us, for tests   ARGV[2..] for each lock: mode and owner
  Returns a digit for each lock: 1 released | 0 was not held any more | 2 failed; then a line of text for each that failed ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, with the last fence as a reserved member of a score below
-- zero, so that losing it is all or nothing; and, while somebody waits, a sorted set of waiters by ticket and a hash of
-- each waiter's sign of life. Members begin with the mode: w, r or p; P, a number and a comma for several permits. All times
-- are microseconds.
local FENCE = '!fence'
-- There while weights have to be added up, because somebody may hold several permits.
local WEIGHTED = '!weighted'
local DEAD_AT_ONCE = 1000
-- A lock is remembered until the clock has passed its last lease, and its last fence, by an hour. Fences follow the clock,
-- so one that is forgotten by then comes again only if the clock is set back by more than that.
local REMEMBERED_MS = 3600000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

local function mode_of(member)
  return string.lower(string.sub(member, 1, 1))
end

local function weight_of(member)
  return tonumber(string.match(member, '^P(%d+),')) or 1
end

-- How much is held, of \`head\` as \`open_lock\` reads it.
local function held_in(lock, is_weighted)
  if not is_weighted then return redis.call('ZCARD', lock) - 1 end
  local held = 0
  for _, member in ipairs(redis.call('ZRANGE', lock, 2, -1)) do held = held + weight_of(member) end
  return held
end

-- Forgets holders whose lease has ended. Returns the last fence, how much is held, and the first one to end with its end.
local function open_lock(lock, now)
  local head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  if not head[1] then return 0, 0 end
  local is_weighted = head[3] == WEIGHTED
  local at = is_weighted and 5 or 3
  if head[at] and tonumber(head[at + 1]) <= now then
    redis.call('ZREMRANGEBYSCORE', lock, 0, whole(now))
    head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  end
  local last = -tonumber(head[2])
  if head[at] then return last, held_in(lock, is_weighted), head[at], tonumber(head[at + 1]) end
  if is_weighted then redis.call('ZREM', lock, WEIGHTED) end
  return last, 0
end

-- The next fence: above the last one, and not below the clock, so that a lock whose memory was lost repeats none.
local function next_fence(last, now)
  return math.max(last + 1, now)
end

-- Has the lock live for as long as what is in it matters. \`may_shorten\`: nobody else holds it.
local function remember(lock, ends, fence, now, may_shorten)
  local life = ms_until(math.max(ends, fence), now) + REMEMBERED_MS
  if may_shorten or redis.call('PTTL', lock) < life then redis.call('PEXPIRE', lock, whole(life)) end
end

-- Writes a holder with the end of its lease, and the last fence. A lease that is held already never becomes shorter.
local function hold(lock, member, lease, fence, now, held_until)
  local ends = math.max(now + lease * 1000, held_until or 0)
  redis.call('ZADD', lock, -fence, FENCE, ends, member)
  if weight_of(member) > 1 then redis.call('ZADD', lock, -1, WEIGHTED) end
  remember(lock, ends, fence, now, mode_of(member) == 'w')
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(held, first, member, permits)
  if held == 0 then return true end
  local mode = mode_of(member)
  if mode == 'w' or mode_of(first) ~= mode then return false end
  return mode == 'r' or held + weight_of(member) <= permits
end

-- A waiter's sign of life: the end of its time, its heartbeat in ms, and where to wake it.
local function sign_of_life(ends, heartbeat, inbox)
  return whole(ends) .. '|' .. whole(heartbeat) .. '|' .. inbox
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    local ends, heartbeat, inbox = string.match(sign or '', '^(%d+)|(%d+)|(.*)$')
    ends, heartbeat = tonumber(ends), tonumber(heartbeat)
    if ends and ends > now then
      local latest = now + 2000 * heartbeat
      -- The clock was set back. A live waiter will show itself again; a dead one is not to stand here until that time.
      if ends > latest then
        ends = latest
        redis.call('HSET', waiters, head, sign_of_life(ends, heartbeat, inbox))
      end
      return head, ends, inbox
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
-- What went wrong, as a line of text, for replies in which each key has a result of its own.
local function text_of(reason)
  local text = type(reason) == 'table' and reason.err or reason
  return (string.gsub(string.sub(text, 1, 200), '[\\r\\n]', ' '))
end
local function release(lock, queue, waiters, member)
  -- A lease that has ended, and that nobody came for, is released all the same: its holder knows by its own clock.
  local was_held = redis.call('ZREM', lock, member)
  if was_held == 1 and redis.call('EXISTS', queue) == 1 then wake_head(queue, waiters, clock_us(ARGV[1])) end
  return was_held
end

local reply, errors = {}, {}
for i = 1, #KEYS / 3 do
  local is_answered, outcome = pcall(release, KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i], ARGV[i + 1])
  if not is_answered then
    errors[#errors + 1] = text_of(outcome)
    outcome = 2
  end
  reply[i] = outcome
end
return table.concat(reply) .. table.concat(errors, '\\n')
` },
  lockRenew: { name: 'lock-renew', keys: 1, lua: `--[[ Prolongs a lease.
  KEYS[1] lock
  ARGV[1] mode and owner   ARGV[2] lease, ms   ARGV[3] now, us, for tests
  Returns 1 prolonged | 0 had ended ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Server time in microseconds, or what a test says it is: \`given\` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
-- A lock: a sorted set of holders by the end of their leases, with the last fence as a reserved member of a score below
-- zero, so that losing it is all or nothing; and, while somebody waits, a sorted set of waiters by ticket and a hash of
-- each waiter's sign of life. Members begin with the mode: w, r or p; P, a number and a comma for several permits. All times
-- are microseconds.
local FENCE = '!fence'
-- There while weights have to be added up, because somebody may hold several permits.
local WEIGHTED = '!weighted'
local DEAD_AT_ONCE = 1000
-- A lock is remembered until the clock has passed its last lease, and its last fence, by an hour. Fences follow the clock,
-- so one that is forgotten by then comes again only if the clock is set back by more than that.
local REMEMBERED_MS = 3600000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

local function mode_of(member)
  return string.lower(string.sub(member, 1, 1))
end

local function weight_of(member)
  return tonumber(string.match(member, '^P(%d+),')) or 1
end

-- How much is held, of \`head\` as \`open_lock\` reads it.
local function held_in(lock, is_weighted)
  if not is_weighted then return redis.call('ZCARD', lock) - 1 end
  local held = 0
  for _, member in ipairs(redis.call('ZRANGE', lock, 2, -1)) do held = held + weight_of(member) end
  return held
end

-- Forgets holders whose lease has ended. Returns the last fence, how much is held, and the first one to end with its end.
local function open_lock(lock, now)
  local head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  if not head[1] then return 0, 0 end
  local is_weighted = head[3] == WEIGHTED
  local at = is_weighted and 5 or 3
  if head[at] and tonumber(head[at + 1]) <= now then
    redis.call('ZREMRANGEBYSCORE', lock, 0, whole(now))
    head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  end
  local last = -tonumber(head[2])
  if head[at] then return last, held_in(lock, is_weighted), head[at], tonumber(head[at + 1]) end
  if is_weighted then redis.call('ZREM', lock, WEIGHTED) end
  return last, 0
end

-- The next fence: above the last one, and not below the clock, so that a lock whose memory was lost repeats none.
local function next_fence(last, now)
  return math.max(last + 1, now)
end

-- Has the lock live for as long as what is in it matters. \`may_shorten\`: nobody else holds it.
local function remember(lock, ends, fence, now, may_shorten)
  local life = ms_until(math.max(ends, fence), now) + REMEMBERED_MS
  if may_shorten or redis.call('PTTL', lock) < life then redis.call('PEXPIRE', lock, whole(life)) end
end

-- Writes a holder with the end of its lease, and the last fence. A lease that is held already never becomes shorter.
local function hold(lock, member, lease, fence, now, held_until)
  local ends = math.max(now + lease * 1000, held_until or 0)
  redis.call('ZADD', lock, -fence, FENCE, ends, member)
  if weight_of(member) > 1 then redis.call('ZADD', lock, -1, WEIGHTED) end
  remember(lock, ends, fence, now, mode_of(member) == 'w')
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(held, first, member, permits)
  if held == 0 then return true end
  local mode = mode_of(member)
  if mode == 'w' or mode_of(first) ~= mode then return false end
  return mode == 'r' or held + weight_of(member) <= permits
end

-- A waiter's sign of life: the end of its time, its heartbeat in ms, and where to wake it.
local function sign_of_life(ends, heartbeat, inbox)
  return whole(ends) .. '|' .. whole(heartbeat) .. '|' .. inbox
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    local ends, heartbeat, inbox = string.match(sign or '', '^(%d+)|(%d+)|(.*)$')
    ends, heartbeat = tonumber(ends), tonumber(heartbeat)
    if ends and ends > now then
      local latest = now + 2000 * heartbeat
      -- The clock was set back. A live waiter will show itself again; a dead one is not to stand here until that time.
      if ends > latest then
        ends = latest
        redis.call('HSET', waiters, head, sign_of_life(ends, heartbeat, inbox))
      end
      return head, ends, inbox
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
local held_until = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
-- A lease that has ended stays ended, even if nobody came for the lock: its holder has been told so by its own clock.
if held_until <= now then return 0 end
-- A renewal may come late, after one that made the lease longer.
local ends = math.max(held_until, now + tonumber(ARGV[2]) * 1000)
redis.call('ZADD', KEYS[1], whole(ends), ARGV[1])
remember(KEYS[1], ends, 0, now, false)
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
-- Nor do arguments of commands, which Redis writes with 17 digits.
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
-- Between number and key of a member. Puts for which the last writer wins are refused by changes that void only.
local CHANGE, VOID = ':', '!'

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local head = redis.call('ZMSCORE', log, '!seq', '!floor')
  if head[1] then return -tonumber(head[1]), -tonumber(head[2] or head[1]) end
  local first = mint(0, us)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first, first
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq. \`is_soft\` and \`settle\`:
-- how they were evicted; the message has them only where there is something to say.
local function record(log, channel, partition, keys, us, voids, is_soft, settle)
  local previous = open_log(log, us)
  local seq = mint(previous, us)
  local score = whole(seq)
  local before = score .. (voids and VOID or CHANGE)
  local members = { '-' .. score, '!seq' }
  for i = 1, #keys do
    members[2 * i + 1] = score
    members[2 * i + 2] = before .. keys[i]
  end
  redis.call('ZADD', log, unpack(members))
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess + TRIM, 1 + excess + TRIM, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess + TRIM)
    redis.call('ZADD', log, '-' .. whole(tonumber(last[2])), '!floor')
  end
  local message = { tonumber(partition), whole(previous), score, keys }
  if is_soft or (settle or 0) > 0 then
    message[5] = is_soft and 1 or 0
    message[6] = settle or 0
  end
  redis.call('PUBLISH', channel, 'k' .. cmsgpack.pack(message))
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
-- Nor do arguments of commands, which Redis writes with 17 digits.
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
  put: { name: 'put', keys: 2, lua: `--[[ Replaces an entry; evicts instead when the key was changed, or this put voided, after the writer looked.
  KEYS[1] entry   KEYS[2] partition log
  ARGV[1] bytes   ARGV[2] life, ms   ARGV[3] since, 0 to write in any case
  ARGV[4] channel   ARGV[5] partition   ARGV[6] full key
  ARGV[7] 1: the last writer wins, only a change that voids counts   ARGV[8] 1: voids puts that know nothing of this one
  Returns {stored 0 | 1, now, previous, seq} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
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
local TOKEN_AT = 54
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function header_bytes(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  return type(head) == 'string' and #head == HEADER and head or nil
end

local function parse_header(head)
  if not head then return nil end
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

local function read_header(key)
  return parse_header(header_bytes(key))
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

-- What is left of a settle window, ms; 0 when there is none. It ends with the entry's life; with the freshness of one that
-- is stale, which has no other use for that and may be kept longer.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  local length = has(head.flags, STALE) and head.fresh or head.lives
  return math.max(head.created + length - now, 0)
end

-- Says in a stale entry until when its settle window stands.
local function set_window(key, head, ends)
  redis.call('SETRANGE', key, 24, struct.pack('>I5', math.max(ends - head.created, 0)))
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
-- Between number and key of a member. Puts for which the last writer wins are refused by changes that void only.
local CHANGE, VOID = ':', '!'

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local head = redis.call('ZMSCORE', log, '!seq', '!floor')
  if head[1] then return -tonumber(head[1]), -tonumber(head[2] or head[1]) end
  local first = mint(0, us)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first, first
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq. \`is_soft\` and \`settle\`:
-- how they were evicted; the message has them only where there is something to say.
local function record(log, channel, partition, keys, us, voids, is_soft, settle)
  local previous = open_log(log, us)
  local seq = mint(previous, us)
  local score = whole(seq)
  local before = score .. (voids and VOID or CHANGE)
  local members = { '-' .. score, '!seq' }
  for i = 1, #keys do
    members[2 * i + 1] = score
    members[2 * i + 2] = before .. keys[i]
  end
  redis.call('ZADD', log, unpack(members))
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess + TRIM, 1 + excess + TRIM, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess + TRIM)
    redis.call('ZADD', log, '-' .. whole(tonumber(last[2])), '!floor')
  end
  local message = { tonumber(partition), whole(previous), score, keys }
  if is_soft or (settle or 0) > 0 then
    message[5] = is_soft and 1 or 0
    message[6] = settle or 0
  end
  redis.call('PUBLISH', channel, 'k' .. cmsgpack.pack(message))
  return previous, seq
end
local key, log = KEYS[1], KEYS[2]
local since, name, last_wins, voids = tonumber(ARGV[3]), ARGV[6], ARGV[7] == '1', ARGV[8] == '1'
local us = now_us()
local now = math.floor(us / 1000)

local function is_refused()
  if since == 0 then return false end
  local _, floor = open_log(log, us)
  if since < floor then return true end
  local later = redis.call('ZRANGEBYSCORE', log, '(' .. whole(since), '+inf', 'WITHSCORES')
  for i = 1, #later, 2 do
    local score = whole(tonumber(later[i + 1]))
    if later[i] == score .. VOID .. name then return true end
    if not last_wins and later[i] == score .. CHANGE .. name then return true end
  end
  return false
end

local stored = 1
if is_refused() then
  remove(key, window_of(read_header(key), now), now)
  stored = 0
else
  redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
  redis.call('SETRANGE', key, 18, struct.pack('>I6', now))
end
-- The message wakes waiters too.
local previous, seq = record(log, ARGV[4], ARGV[5], { name }, us, voids)
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
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
local TOKEN_AT = 54
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function header_bytes(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  return type(head) == 'string' and #head == HEADER and head or nil
end

local function parse_header(head)
  if not head then return nil end
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

local function read_header(key)
  return parse_header(header_bytes(key))
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

-- What is left of a settle window, ms; 0 when there is none. It ends with the entry's life; with the freshness of one that
-- is stale, which has no other use for that and may be kept longer.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  local length = has(head.flags, STALE) and head.fresh or head.lives
  return math.max(head.created + length - now, 0)
end

-- Says in a stale entry until when its settle window stands.
local function set_window(key, head, ends)
  redis.call('SETRANGE', key, 24, struct.pack('>I5', math.max(ends - head.created, 0)))
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
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\\202\\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
local TOKEN_AT = 54
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function header_bytes(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  return type(head) == 'string' and #head == HEADER and head or nil
end

local function parse_header(head)
  if not head then return nil end
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

local function read_header(key)
  return parse_header(header_bytes(key))
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

-- What is left of a settle window, ms; 0 when there is none. It ends with the entry's life; with the freshness of one that
-- is stale, which has no other use for that and may be kept longer.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  local length = has(head.flags, STALE) and head.fresh or head.lives
  return math.max(head.created + length - now, 0)
end

-- Says in a stale entry until when its settle window stands.
local function set_window(key, head, ends)
  redis.call('SETRANGE', key, 24, struct.pack('>I5', math.max(ends - head.created, 0)))
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
-- Nor do arguments of commands, which Redis writes with 17 digits.
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
