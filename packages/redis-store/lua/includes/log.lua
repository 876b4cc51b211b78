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
