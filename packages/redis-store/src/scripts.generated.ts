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

local function whole(number)
  return string.format('%.0f', number)
end
-- The tag clock in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local TAG_CAP = 100000

local function tag_head(set, us)
  local version = redis.call('ZSCORE', set, '!version')
  if version then
    return -tonumber(version), -tonumber(redis.call('ZSCORE', set, '!floor') or '0'),
      -tonumber(redis.call('ZSCORE', set, '!retention') or '0')
  end
  -- A clock that begins anew invalidates everything born before: nobody knows what was invalidated until now.
  redis.call('ZADD', set, whole(-us), '!version', whole(-us), '!floor', '-0', '!retention')
  return us, us, 0
end

local function publish_tags(channel, previous, version, floor, tags)
  redis.call('PUBLISH', channel,
    't' .. cmsgpack.pack({ whole(previous), whole(version), whole(floor), tags }))
end
local set = KEYS[1]
local us = now_us()
local previous, floor, retention = tag_head(set, us)
local version = math.max(us, previous + 1, math.floor(tonumber(ARGV[1])) + 1)
retention = math.max(retention, tonumber(ARGV[2]))

local tags = {}
for i = 4, #ARGV do
  tags[#tags + 1] = ARGV[i]
  redis.call('ZADD', set, whole(version), 't:' .. ARGV[i])
end

-- Raising the floor over what is pruned costs nothing when no entry lives that long, and is safe when one does.
local function prune(last)
  redis.call('ZREMRANGEBYSCORE', set, 1, whole(last))
  floor = math.max(floor, last)
end
local old = redis.call('ZREVRANGEBYSCORE', set, whole(version - retention * 1000), 1, 'WITHSCORES', 'LIMIT', 0, 1)
if #old > 0 then prune(tonumber(old[2])) end
local excess = redis.call('ZCARD', set) - 3 - TAG_CAP
if excess > 0 then
  local last = redis.call('ZRANGE', set, 2 + excess, 2 + excess, 'WITHSCORES')
  prune(tonumber(last[2]))
end
redis.call('ZADD', set, whole(-version), '!version', whole(-floor), '!floor', whole(-retention), '!retention')
publish_tags(ARGV[3], previous, version, floor, tags)
return { whole(previous), whole(version), whole(floor) }
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

local function whole(number)
  return string.format('%.0f', number)
end
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512

local function head_of(log)
  local seq = redis.call('ZSCORE', log, '!seq')
  if not seq then return nil end
  return -tonumber(seq), -tonumber(redis.call('ZSCORE', log, '!floor') or '0')
end

local function open_log(log, us)
  local seq, floor = head_of(log)
  if seq then return seq, floor end
  redis.call('ZADD', log, whole(-us), '!seq', whole(-us), '!floor')
  return us, us
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = math.max(previous + 1, us)
  local score = whole(seq)
  for i = 1, #keys do
    redis.call('ZADD', log, score, score .. ':' .. keys[i])
  end
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess, 1 + excess, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess)
    redis.call('ZADD', log, whole(-tonumber(last[2])), '!floor')
  end
  redis.call('ZADD', log, whole(-seq), '!seq')
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
end

local function wake(channel, key)
  redis.call('PUBLISH', channel, 'w' .. cmsgpack.pack({ key }))
end
local log, since = KEYS[1], tonumber(ARGV[1])
local seq, floor = open_log(log, now_us())
if seq == since then return { 1, whole(seq) } end
local is_known = since == floor
  or (since > floor and #redis.call('ZRANGEBYSCORE', log, whole(since), whole(since), 'LIMIT', 0, 1) > 0)
if not is_known then return { 0, whole(seq) } end
local reply = { 1, whole(seq) }
local found = redis.call('ZRANGEBYSCORE', log, '(' .. whole(since), '+inf', 'WITHSCORES')
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

local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local NEGATIVE, ERROR, STALE, WAITED, EMPTY, SETTLING = 1, 2, 4, 8, 16, 32

local function read_header(key)
  local head = redis.call('GETRANGE', key, 0, HEADER - 1)
  if #head < HEADER or string.byte(head, 1) ~= 202 or string.byte(head, 2) ~= 1 then
    return nil
  end
  local commit = struct.unpack('>I6', head, 5)
  local created, fresh = struct.unpack('>I6I5', head, 19)
  local lives = struct.unpack('>I5', head, 35)
  local deadline, token = struct.unpack('>I6I6', head, 49)
  return {
    flags = string.byte(head, 3),
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

local function has(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

local function with(flags, flag)
  if has(flags, flag) then return flags end
  return flags + flag
end

local function without(flags, flag)
  if has(flags, flag) then return flags - flag end
  return flags
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
local key = KEYS[1]
local token, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
local seen, overtake = tonumber(ARGV[3]), tonumber(ARGV[4])
local now = math.floor(now_us() / 1000)
-- The key outlives the lease a little, so that a fill at the last moment still finds its token.
local SLACK = 1000

local head = read_header(key)
if not head then
  local bytes = string.char(202, 1, EMPTY, 0) .. string.rep('\\0', HEADER - 4 - 12)
    .. struct.pack('>I6I6', now + lease, token)
  redis.call('SET', key, bytes, 'PX', whole(lease + SLACK))
  return { 1, whole(now) }
end

local is_held = head.token ~= 0 and head.token ~= token and head.token ~= overtake and head.deadline > now
local is_value = not has(head.flags, EMPTY)
local is_news = is_value and head.commit ~= seen and not has(head.flags, STALE)
  and head.created + head.fresh > now
if is_news then return { 2, whole(now), redis.call('GET', key) } end
if is_held then
  set_flags(key, with(head.flags, WAITED))
  return { 0, whole(now), whole(head.token), whole(head.deadline - now) }
end

-- The waited flag stays: whoever waited for the last holder now waits for this one.
set_lease(key, now + lease, token)
live_at_least(key, lease + SLACK)
return { 1, whole(now) }
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

local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local NEGATIVE, ERROR, STALE, WAITED, EMPTY, SETTLING = 1, 2, 4, 8, 16, 32

local function read_header(key)
  local head = redis.call('GETRANGE', key, 0, HEADER - 1)
  if #head < HEADER or string.byte(head, 1) ~= 202 or string.byte(head, 2) ~= 1 then
    return nil
  end
  local commit = struct.unpack('>I6', head, 5)
  local created, fresh = struct.unpack('>I6I5', head, 19)
  local lives = struct.unpack('>I5', head, 35)
  local deadline, token = struct.unpack('>I6I6', head, 49)
  return {
    flags = string.byte(head, 3),
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

local function has(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

local function with(flags, flag)
  if has(flags, flag) then return flags end
  return flags + flag
end

local function without(flags, flag)
  if has(flags, flag) then return flags - flag end
  return flags
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
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512

local function head_of(log)
  local seq = redis.call('ZSCORE', log, '!seq')
  if not seq then return nil end
  return -tonumber(seq), -tonumber(redis.call('ZSCORE', log, '!floor') or '0')
end

local function open_log(log, us)
  local seq, floor = head_of(log)
  if seq then return seq, floor end
  redis.call('ZADD', log, whole(-us), '!seq', whole(-us), '!floor')
  return us, us
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = math.max(previous + 1, us)
  local score = whole(seq)
  for i = 1, #keys do
    redis.call('ZADD', log, score, score .. ':' .. keys[i])
  end
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess, 1 + excess, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess)
    redis.call('ZADD', log, whole(-tonumber(last[2])), '!floor')
  end
  redis.call('ZADD', log, whole(-seq), '!seq')
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
end

local function wake(channel, key)
  redis.call('PUBLISH', channel, 'w' .. cmsgpack.pack({ key }))
end
local log, is_soft, settle = KEYS[1], ARGV[1] == '1', tonumber(ARGV[2])
local us = now_us()
local now = math.floor(us / 1000)

local function soften(key)
  local head = read_header(key)
  if not head then return end
  if has(head.flags, EMPTY) then
    redis.call('UNLINK', key)
    return
  end
  set_flags(key, with(without(head.flags, WAITED), STALE))
  set_lease(key, 0, 0)
end

local function leave_window(key)
  local bytes = string.char(202, 1, EMPTY + SETTLING, 0) .. string.rep('\\0', 14) .. struct.pack('>I6', now)
    .. string.rep('\\0', 10) .. struct.pack('>I5', settle) .. string.rep('\\0', HEADER - 39)
  redis.call('SET', key, bytes, 'PX', whole(settle))
end

local names = {}
for i = 2, #KEYS do
  local key = KEYS[i]
  if is_soft then
    soften(key)
  elseif settle > 0 then
    leave_window(key)
  else
    redis.call('UNLINK', key)
  end
  names[i - 1] = ARGV[i + 3]
end
local previous, seq = record(log, ARGV[3], ARGV[4], names, us)
return { whole(now), whole(previous), whole(seq) }
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

local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local NEGATIVE, ERROR, STALE, WAITED, EMPTY, SETTLING = 1, 2, 4, 8, 16, 32

local function read_header(key)
  local head = redis.call('GETRANGE', key, 0, HEADER - 1)
  if #head < HEADER or string.byte(head, 1) ~= 202 or string.byte(head, 2) ~= 1 then
    return nil
  end
  local commit = struct.unpack('>I6', head, 5)
  local created, fresh = struct.unpack('>I6I5', head, 19)
  local lives = struct.unpack('>I5', head, 35)
  local deadline, token = struct.unpack('>I6I6', head, 49)
  return {
    flags = string.byte(head, 3),
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

local function has(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

local function with(flags, flag)
  if has(flags, flag) then return flags end
  return flags + flag
end

local function without(flags, flag)
  if has(flags, flag) then return flags - flag end
  return flags
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
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512

local function head_of(log)
  local seq = redis.call('ZSCORE', log, '!seq')
  if not seq then return nil end
  return -tonumber(seq), -tonumber(redis.call('ZSCORE', log, '!floor') or '0')
end

local function open_log(log, us)
  local seq, floor = head_of(log)
  if seq then return seq, floor end
  redis.call('ZADD', log, whole(-us), '!seq', whole(-us), '!floor')
  return us, us
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = math.max(previous + 1, us)
  local score = whole(seq)
  for i = 1, #keys do
    redis.call('ZADD', log, score, score .. ':' .. keys[i])
  end
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess, 1 + excess, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess)
    redis.call('ZADD', log, whole(-tonumber(last[2])), '!floor')
  end
  redis.call('ZADD', log, whole(-seq), '!seq')
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
end

local function wake(channel, key)
  redis.call('PUBLISH', channel, 'w' .. cmsgpack.pack({ key }))
end
local key, life = KEYS[1], tonumber(ARGV[3])
local now = math.floor(now_us() / 1000)
local head = read_header(key)
if not head or head.token ~= tonumber(ARGV[1]) then return { 0, whole(now), '0' } end

local window = head.created + head.lives - now
local is_settling = has(head.flags, SETTLING) and window > 0
if is_settling then life = math.min(life, window) end

redis.call('SET', key, ARGV[2], 'PX', whole(life))
redis.call('SETRANGE', key, 18, struct.pack('>I6', now))
-- What is read in a settle window may be the old value: nobody may keep it longer than the window.
if is_settling then
  local fresh, stale, lives = struct.unpack('>I5I5I5', ARGV[2], 25)
  local function at_most_life(ms) return math.min(ms, life) end
  redis.call('SETRANGE', key, 24,
    struct.pack('>I5I5I5', at_most_life(fresh), at_most_life(stale), at_most_life(lives)))
end
if has(head.flags, WAITED) then wake(ARGV[4], ARGV[5]) end
return { 1, whole(now), whole(life) }
` },
  openLog: { name: 'open-log', keys: 1, lua: `--[[ Creates a partition's log if it is absent.
  KEYS[1] partition log
  Returns seq ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function whole(number)
  return string.format('%.0f', number)
end
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512

local function head_of(log)
  local seq = redis.call('ZSCORE', log, '!seq')
  if not seq then return nil end
  return -tonumber(seq), -tonumber(redis.call('ZSCORE', log, '!floor') or '0')
end

local function open_log(log, us)
  local seq, floor = head_of(log)
  if seq then return seq, floor end
  redis.call('ZADD', log, whole(-us), '!seq', whole(-us), '!floor')
  return us, us
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = math.max(previous + 1, us)
  local score = whole(seq)
  for i = 1, #keys do
    redis.call('ZADD', log, score, score .. ':' .. keys[i])
  end
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess, 1 + excess, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess)
    redis.call('ZADD', log, whole(-tonumber(last[2])), '!floor')
  end
  redis.call('ZADD', log, whole(-seq), '!seq')
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
end

local function wake(channel, key)
  redis.call('PUBLISH', channel, 'w' .. cmsgpack.pack({ key }))
end
local seq = open_log(KEYS[1], now_us())
return whole(seq)
` },
  openTags: { name: 'open-tags', keys: 1, lua: `--[[ Reads the tag clock and the server's time; creates the clock if it is absent.
  KEYS[1] tag clock
  Returns {version, floor, now in ms} ]]
-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function whole(number)
  return string.format('%.0f', number)
end
-- The tag clock in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local TAG_CAP = 100000

local function tag_head(set, us)
  local version = redis.call('ZSCORE', set, '!version')
  if version then
    return -tonumber(version), -tonumber(redis.call('ZSCORE', set, '!floor') or '0'),
      -tonumber(redis.call('ZSCORE', set, '!retention') or '0')
  end
  -- A clock that begins anew invalidates everything born before: nobody knows what was invalidated until now.
  redis.call('ZADD', set, whole(-us), '!version', whole(-us), '!floor', '-0', '!retention')
  return us, us, 0
end

local function publish_tags(channel, previous, version, floor, tags)
  redis.call('PUBLISH', channel,
    't' .. cmsgpack.pack({ whole(previous), whole(version), whole(floor), tags }))
end
local us = now_us()
local version, floor = tag_head(KEYS[1], us)
return { whole(version), whole(floor), whole(math.floor(us / 1000)) }
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

local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local NEGATIVE, ERROR, STALE, WAITED, EMPTY, SETTLING = 1, 2, 4, 8, 16, 32

local function read_header(key)
  local head = redis.call('GETRANGE', key, 0, HEADER - 1)
  if #head < HEADER or string.byte(head, 1) ~= 202 or string.byte(head, 2) ~= 1 then
    return nil
  end
  local commit = struct.unpack('>I6', head, 5)
  local created, fresh = struct.unpack('>I6I5', head, 19)
  local lives = struct.unpack('>I5', head, 35)
  local deadline, token = struct.unpack('>I6I6', head, 49)
  return {
    flags = string.byte(head, 3),
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

local function has(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

local function with(flags, flag)
  if has(flags, flag) then return flags end
  return flags + flag
end

local function without(flags, flag)
  if has(flags, flag) then return flags - flag end
  return flags
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
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512

local function head_of(log)
  local seq = redis.call('ZSCORE', log, '!seq')
  if not seq then return nil end
  return -tonumber(seq), -tonumber(redis.call('ZSCORE', log, '!floor') or '0')
end

local function open_log(log, us)
  local seq, floor = head_of(log)
  if seq then return seq, floor end
  redis.call('ZADD', log, whole(-us), '!seq', whole(-us), '!floor')
  return us, us
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = math.max(previous + 1, us)
  local score = whole(seq)
  for i = 1, #keys do
    redis.call('ZADD', log, score, score .. ':' .. keys[i])
  end
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess, 1 + excess, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess)
    redis.call('ZADD', log, whole(-tonumber(last[2])), '!floor')
  end
  redis.call('ZADD', log, whole(-seq), '!seq')
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
end

local function wake(channel, key)
  redis.call('PUBLISH', channel, 'w' .. cmsgpack.pack({ key }))
end
local key, log = KEYS[1], KEYS[2]
local since, name = tonumber(ARGV[3]), ARGV[6]
local us = now_us()
local now = math.floor(us / 1000)

local function was_changed()
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
if was_changed() then
  redis.call('UNLINK', key)
  stored = 0
else
  redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
  redis.call('SETRANGE', key, 18, struct.pack('>I6', now))
end
-- The message wakes waiters too.
local previous, seq = record(log, ARGV[4], ARGV[5], { name }, us)
return { stored, whole(now), whole(previous), whole(seq) }
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

local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local NEGATIVE, ERROR, STALE, WAITED, EMPTY, SETTLING = 1, 2, 4, 8, 16, 32

local function read_header(key)
  local head = redis.call('GETRANGE', key, 0, HEADER - 1)
  if #head < HEADER or string.byte(head, 1) ~= 202 or string.byte(head, 2) ~= 1 then
    return nil
  end
  local commit = struct.unpack('>I6', head, 5)
  local created, fresh = struct.unpack('>I6I5', head, 19)
  local lives = struct.unpack('>I5', head, 35)
  local deadline, token = struct.unpack('>I6I6', head, 49)
  return {
    flags = string.byte(head, 3),
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

local function has(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

local function with(flags, flag)
  if has(flags, flag) then return flags end
  return flags + flag
end

local function without(flags, flag)
  if has(flags, flag) then return flags - flag end
  return flags
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
-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512

local function head_of(log)
  local seq = redis.call('ZSCORE', log, '!seq')
  if not seq then return nil end
  return -tonumber(seq), -tonumber(redis.call('ZSCORE', log, '!floor') or '0')
end

local function open_log(log, us)
  local seq, floor = head_of(log)
  if seq then return seq, floor end
  redis.call('ZADD', log, whole(-us), '!seq', whole(-us), '!floor')
  return us, us
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = math.max(previous + 1, us)
  local score = whole(seq)
  for i = 1, #keys do
    redis.call('ZADD', log, score, score .. ':' .. keys[i])
  end
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess, 1 + excess, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess)
    redis.call('ZADD', log, whole(-tonumber(last[2])), '!floor')
  end
  redis.call('ZADD', log, whole(-seq), '!seq')
  redis.call('PUBLISH', channel,
    'k' .. cmsgpack.pack({ tonumber(partition), whole(previous), score, keys }))
  return previous, seq
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
  set_flags(key, without(head.flags, WAITED))
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

local function whole(number)
  return string.format('%.0f', number)
end
-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local NEGATIVE, ERROR, STALE, WAITED, EMPTY, SETTLING = 1, 2, 4, 8, 16, 32

local function read_header(key)
  local head = redis.call('GETRANGE', key, 0, HEADER - 1)
  if #head < HEADER or string.byte(head, 1) ~= 202 or string.byte(head, 2) ~= 1 then
    return nil
  end
  local commit = struct.unpack('>I6', head, 5)
  local created, fresh = struct.unpack('>I6I5', head, 19)
  local lives = struct.unpack('>I5', head, 35)
  local deadline, token = struct.unpack('>I6I6', head, 49)
  return {
    flags = string.byte(head, 3),
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

local function has(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

local function with(flags, flag)
  if has(flags, flag) then return flags end
  return flags + flag
end

local function without(flags, flag)
  if has(flags, flag) then return flags - flag end
  return flags
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
local key, lease = KEYS[1], tonumber(ARGV[2])
local head = read_header(key)
if not head or head.token ~= tonumber(ARGV[1]) then return 0 end
set_lease(key, math.floor(now_us() / 1000) + lease, head.token)
live_at_least(key, lease + 1000)
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

local function whole(number)
  return string.format('%.0f', number)
end
-- The tag clock in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local TAG_CAP = 100000

local function tag_head(set, us)
  local version = redis.call('ZSCORE', set, '!version')
  if version then
    return -tonumber(version), -tonumber(redis.call('ZSCORE', set, '!floor') or '0'),
      -tonumber(redis.call('ZSCORE', set, '!retention') or '0')
  end
  -- A clock that begins anew invalidates everything born before: nobody knows what was invalidated until now.
  redis.call('ZADD', set, whole(-us), '!version', whole(-us), '!floor', '-0', '!retention')
  return us, us, 0
end

local function publish_tags(channel, previous, version, floor, tags)
  redis.call('PUBLISH', channel,
    't' .. cmsgpack.pack({ whole(previous), whole(version), whole(floor), tags }))
end
local set = KEYS[1]
local previous, floor = tag_head(set, now_us())
local version = math.max(previous, math.floor(tonumber(ARGV[1])))
local raised = {}
for i = 3, #ARGV, 2 do
  local known = redis.call('ZSCORE', set, 't:' .. ARGV[i])
  if not known or tonumber(known) < tonumber(ARGV[i + 1]) then
    redis.call('ZADD', set, ARGV[i + 1], 't:' .. ARGV[i])
    raised[#raised + 1] = ARGV[i]
  end
end
if #raised == 0 and version == previous then return 0 end
redis.call('ZADD', set, whole(-version), '!version')
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

local function whole(number)
  return string.format('%.0f', number)
end
-- The tag clock in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local TAG_CAP = 100000

local function tag_head(set, us)
  local version = redis.call('ZSCORE', set, '!version')
  if version then
    return -tonumber(version), -tonumber(redis.call('ZSCORE', set, '!floor') or '0'),
      -tonumber(redis.call('ZSCORE', set, '!retention') or '0')
  end
  -- A clock that begins anew invalidates everything born before: nobody knows what was invalidated until now.
  redis.call('ZADD', set, whole(-us), '!version', whole(-us), '!floor', '-0', '!retention')
  return us, us, 0
end

local function publish_tags(channel, previous, version, floor, tags)
  redis.call('PUBLISH', channel,
    't' .. cmsgpack.pack({ whole(previous), whole(version), whole(floor), tags }))
end
local set = KEYS[1]
local version, floor = tag_head(set, now_us())
local reply = { whole(version), whole(floor) }
local from = math.max(tonumber(ARGV[1]), 0)
local found = redis.call('ZRANGEBYSCORE', set, '(' .. whole(from), '+inf', 'WITHSCORES')
for i = 1, #found, 2 do
  reply[#reply + 1] = string.sub(found[i], 3)
  reply[#reply + 1] = whole(tonumber(found[i + 1]))
end
return reply
` },
} as const
