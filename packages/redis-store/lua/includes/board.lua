-- One period of a board is three keys. The order: a sorted set, the best one first, because a score of which the highest is best is
-- kept with the other sign; a member of it is 7 bytes and the name, and the bytes order equal scores. The bytes of each name: a hash.
-- The scores that somebody has: a sorted set, for ranks without gaps.
local TIE_BYTES = 7
local LAST_TIE = 2 ^ 53
local AT_ONCE = 1000

local function tie_of(number, ties)
  if ties == 'last' then number = LAST_TIE - number end
  return struct.pack('>I7', number)
end

-- The score of a name, as it is kept, and its bytes.
local function held(order, ids, name)
  local tie = redis.call('HGET', ids, name)
  local score = tie and redis.call('ZSCORE', order, tie .. name)
  if score then return tonumber(score), tie end
end

local function drop(order, ids, scores, tie, name, score)
  redis.call('ZREM', order, tie .. name)
  redis.call('HDEL', ids, name)
  if redis.call('ZCOUNT', order, whole(score), whole(score)) == 0 then redis.call('ZREM', scores, whole(score)) end
end

local function put(order, ids, scores, tie, name, score)
  redis.call('ZADD', order, whole(score), tie .. name)
  redis.call('HSET', ids, name, tie)
  redis.call('ZADD', scores, whole(score), whole(score))
end

-- What the last score was taken at, us, and by which rule the board is kept; nothing of a board that has not begun.
local function begun(clock)
  local stamp, rule = string.match(redis.call('GET', clock) or '', '^(%d+):(.*)$')
  return tonumber(stamp or '0'), rule
end

-- Of the keys of a period, a server that drops keys for room may drop one. The order has everything, and the others are made anew.
-- Returns how many members there are.
local function mend(order, ids, scores)
  local count = redis.call('ZCARD', order)
  local is_whole = redis.call('HLEN', ids) == count and (redis.call('EXISTS', scores) == 1) == (count > 0)
  if is_whole then return count end
  local left = redis.call('PTTL', order)
  redis.call('UNLINK', ids, scores)
  for start = 0, count - 1, AT_ONCE do
    local some = redis.call('ZRANGE', order, start, start + AT_ONCE - 1, 'WITHSCORES')
    for i = 1, #some, 2 do
      local score = whole(tonumber(some[i + 1]))
      redis.call('HSET', ids, string.sub(some[i], TIE_BYTES + 1), string.sub(some[i], 1, TIE_BYTES))
      redis.call('ZADD', scores, score, score)
    end
  end
  if left > 0 then
    redis.call('PEXPIRE', ids, left)
    redis.call('PEXPIRE', scores, left)
  end
  return count
end
