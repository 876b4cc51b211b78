--[[ Writes a value unless a newer fence has written.
  KEYS[1]  value
  KEYS[2]  fence of the value
  ARGV[1]  value
  ARGV[2]  fence
  ARGV[3]  life, ms; 0 for ever
  ARGV[4]  how long the fence outlives the value, ms
  Returns 1 written | 0 refused ]]
--- @include "now"
local fence = tonumber(ARGV[2])
if tonumber(redis.call('GET', KEYS[2]) or '0') > fence then return 0 end
local life = tonumber(ARGV[3])
if life > 0 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', whole(life))
  -- A late writer must be refused even if the value no longer exists.
  redis.call('SET', KEYS[2], whole(fence), 'PX', whole(life + tonumber(ARGV[4])))
else
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('SET', KEYS[2], whole(fence))
end
return 1
