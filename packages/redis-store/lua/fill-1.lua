--[[ Stores a loaded entry while its loader still holds the lease.
  KEYS[1] entry
  ARGV[1] token   ARGV[2] bytes   ARGV[3] life, ms   ARGV[4] channel   ARGV[5] full key
  Returns {stored 0 | 1, now, life in ms} ]]
--- @include "now"
--- @include "header"
--- @include "log"
local key, life = KEYS[1], tonumber(ARGV[3])
local now = math.floor(now_us() / 1000)
local head = read_header(key)
if not head or head.token ~= tonumber(ARGV[1]) then return { 0, whole(now), '0' } end

local window = head.created + head.lives - now
local is_settling = has(head.flags, SETTLING) and window > 0
if is_settling then life = math.min(life, window) end

redis.call('SET', key, ARGV[2], 'PX', whole(life))
redis.call('SETRANGE', key, 18, struct.pack('>I6', now))
-- What is read in a settle window may be the old value: nobody may keep it longer than the window.
if is_settling then redis.call('SETRANGE', key, 24, struct.pack('>I5I5I5', life, life, life)) end
if has(head.flags, WAITED) then wake(ARGV[4], ARGV[5]) end
return { 1, whole(now), whole(life) }
