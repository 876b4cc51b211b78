-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512
-- The log is trimmed by so many at a time, because trimming costs more than the rest of a change.
local TRIM = 64
-- Called before a head moves: should the script fail in between, nodes ask the log for a change that it does not have, and not the
-- other way round.
local function note_head(log, seq)
  if not heads then return end
  -- The number of the partition ends the log's name.
  local at, bytes = 8 * tonumber(string.match(log, ':(%d+)}$')), struct.pack('>d', seq)
  local reply = redis.pcall('SETRANGE', heads, at, bytes)
  if type(reply) ~= 'table' then return end
  -- Somebody's value of another type; whatever else it was says so once more.
  if string.find(reply.err, '^WRONGTYPE') then redis.call('UNLINK', heads) end
  redis.call('SETRANGE', heads, at, bytes)
end

-- Returns the sequence number. A log that does not exist yet is created.
local function head_of(log, us)
  local head = redis.call('ZSCORE', log, '!seq')
  if head then return -tonumber(head) end
  local first = mint(0, us)
  note_head(log, first)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first
end

-- Changes up to the floor may be missing from the log.
local function floor_of(log)
  local floor = redis.call('ZSCORE', log, '!floor')
  return floor and -tonumber(floor)
end

-- True when all changes after the number are known. A number between two others could come from a history that was lost:
-- only a number that was minted here shows that it belongs to this one.
local function reaches_back(log, since, seq)
  if since == seq then return true end
  local floor = floor_of(log) or seq
  if since == floor then return true end
  local score = whole(since)
  return since > floor and redis.call('ZCOUNT', log, score, score) > 0
end

-- Mints the number after `previous`, logs the keys under it, announces them. Returns the number. `is_soft` and `settle`: how
-- they were evicted; the message has them only where there is something to say.
local function record(log, channel, previous, keys, us, is_soft, settle)
  local seq = mint(previous, us)
  local score = whole(seq)
  note_head(log, seq)
  if keys[2] then
    local members = {}
    for i = 1, #keys do
      members[2 * i - 1] = score
      members[2 * i] = score .. ':' .. keys[i]
    end
    redis.call('ZADD', log, '-' .. score, '!seq', unpack(members))
  else
    redis.call('ZADD', log, '-' .. score, '!seq', score, score .. ':' .. keys[1])
  end
  local excess = redis.call('ZCARD', log) - 2 - LOG_CAP
  if excess > 0 then
    local last = redis.call('ZRANGE', log, 1 + excess + TRIM, 1 + excess + TRIM, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', log, 2, 1 + excess + TRIM)
    redis.call('ZADD', log, '-' .. whole(tonumber(last[2])), '!floor')
  end
  -- The number of the partition ends the log's name.
  local message = { tonumber(string.match(log, ':(%d+)}$')), whole(previous), score, keys }
  if is_soft or (settle or 0) > 0 then
    message[5] = is_soft and 1 or 0
    message[6] = settle or 0
  end
  announce(channel, cmsgpack.pack(message), us)
  return seq
end
