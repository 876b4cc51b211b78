-- A structure is two keys. The items: a hash, where 7 bytes with the version stand before the bytes of each item. The order: a sorted
-- set of the names by their versions. A script that finds one without the other mends them first: the items decide.
local AT_ONCE = 1000

-- How many items there are.
local function mended(items, order)
  local count = redis.call('HLEN', items)
  if count == redis.call('ZCARD', order) then return count end
  redis.call('UNLINK', order)
  local all = redis.call('HGETALL', items)
  for i = 1, #all, 2 do
    redis.call('ZADD', order, whole(struct.unpack('>I7', all[i + 1])), all[i])
  end
  local left = redis.call('PTTL', items)
  if left > 0 then redis.call('PEXPIRE', order, left) end
  return count
end
