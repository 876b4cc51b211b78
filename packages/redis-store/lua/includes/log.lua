-- A partition's head and log in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local LOG_CAP = 512

-- Returns the sequence number and the floor: changes up to the floor may be missing from the log.
local function open_log(log, us)
  local seq = redis.call('ZSCORE', log, '!seq')
  if seq then return -tonumber(seq), -tonumber(redis.call('ZSCORE', log, '!floor') or seq) end
  local first = mint(0, us)
  redis.call('ZADD', log, whole(-first), '!seq', whole(-first), '!floor')
  return first, first
end

-- Mints the next sequence number, logs the keys under it, publishes them. Returns previous, seq.
local function record(log, channel, partition, keys, us)
  local previous = open_log(log, us)
  local seq = mint(previous, us)
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
