--[[ Removes a structure.
  KEYS[1]  items
  KEYS[2]  order
  Returns {1 there was one | 0 there was none} ]]
local count = redis.call('HLEN', KEYS[1])
redis.call('UNLINK', KEYS[1], KEYS[2])
return { count > 0 and 1 or 0 }
