--[[ Stores loaded entries, each while its loader still holds the lease.
  KEYS[1..] entries
  ARGV[1] channel   ARGV[2..] for each: token, bytes, life, ms, full key
  Returns now, then for each: the life in ms, at least 1 | 0 not stored, because the lease was lost ]]
--- @include "now"
--- @include "header"
--- @include "wake"
local channel = ARGV[1]
local now = math.floor(now_us() / 1000)

local function fill(key, token, bytes, life, full_key)
  local head = read_header(key)
  -- A lease past its deadline still counts: its token is there, so nobody has taken it over.
  if not head or head.token ~= token then return 0 end

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
  if has(head.flags, WAITED) then wake(channel, full_key) end
  return life
end

local reply = { now }
for i = 1, #KEYS do
  local a = 4 * i - 2
  reply[i + 1] = fill(KEYS[i], tonumber(ARGV[a]), ARGV[a + 1], tonumber(ARGV[a + 2]), ARGV[a + 3])
end
return reply
