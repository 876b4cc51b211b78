-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512
-- The log is trimmed by so many at a time, because trimming costs more than the rest of a change.
local TRIM = 64

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local head = redis.call('ZMSCORE', log, '!seq', '!floor')
  if head[1] then return -tonumber(head[1]), -tonumber(head[2] or head[1]) end
  local first = mint(0, us)
  redis.call('ZADD', log, '-' .. whole(first), '!seq', '-' .. whole(first), '!floor')
  return first, first
end

-- True when all changes after the number are known. A number between two others could come from a history that was lost:
-- only a number that was minted here shows that it belongs to this one.
local function reaches_back(log, since, seq, floor)
  if since == seq or since == floor then return true end
  local score = whole(since)
  return since > floor and redis.call('ZCOUNT', log, score, score) > 0
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq. `is_soft` and `settle`:
-- how they were evicted; the message has them only if they are not the usual ones.
local function record(log, channel, partition, keys, us, is_soft, settle)
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
  local message = { tonumber(partition), whole(previous), score, keys }
  if is_soft or (settle or 0) > 0 then
    message[5] = is_soft and 1 or 0
    message[6] = settle or 0
  end
  redis.call('PUBLISH', channel, 'k' .. cmsgpack.pack(message))
  return previous, seq
end
