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
