--[[ Stores a loaded entry while its loader still holds the lease.
  KEYS[1] entry
  ARGV[1] token   ARGV[2] bytes   ARGV[3] life, ms   ARGV[4] channel   ARGV[5] full key
  Returns {stored 0 | 1, now, life in ms} ]]
--- @include "now"
--- @include "header"
--- @include "wake"
local key, bytes, life = KEYS[1], ARGV[2], tonumber(ARGV[3])
local now = math.floor(now_us() / 1000)
local head = read_header(key)
-- A lease past its deadline still counts: its token is there, so nobody has taken it over.
if not head or head.token ~= tonumber(ARGV[1]) then return { 0, whole(now), '0' } end

local window = window_of(head, now)
if window > 0 then life = math.min(life, window) end
redis.call('SET', key, bytes, 'PX', whole(life))
redis.call('SETRANGE', key, 18, struct.pack('>I6', now))
if window > 0 then
  -- What is read in a settle window may be the old value: nobody may keep it longer than the window. The flag stays, so
  -- that a refresh of this entry within the window is limited by it too: created-at plus lives-for is still its end.
  local fresh, stale, lives = struct.unpack('>I5I5I5', bytes, 25)
  lives = math.min(lives, life)
  redis.call('SETRANGE', key, 24, struct.pack('>I5I5I5', math.min(fresh, life), math.min(stale, life), lives))
  if lives == window then set_flags(key, bit.bor(string.byte(bytes, 3), SETTLING)) end
end
if has(head.flags, WAITED) then wake(ARGV[4], ARGV[5]) end
return { 1, now, life }
