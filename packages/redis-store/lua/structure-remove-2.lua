--[[ Removes items of a structure.
  KEYS[1]    items
  KEYS[2]    order
  ARGV[1]    how long the structure lives from now on, ms
  ARGV[2..]  names
  Returns {how many there were} ]]
--- @include "now"
--- @include "structure"
local items, order = KEYS[1], KEYS[2]
mended(items, order)
local removed = 0
for i = 2, #ARGV do
  removed = removed + redis.call('HDEL', items, ARGV[i])
  redis.call('ZREM', order, ARGV[i])
end
if removed > 0 then
  redis.call('PEXPIRE', items, ARGV[1])
  redis.call('PEXPIRE', order, ARGV[1])
end
return { removed }
