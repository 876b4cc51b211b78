--[[ Stores loaded entries, each while its loader still holds the lease.
  KEYS[1..]  entries
  ARGV[1]    channel
  ARGV[2..]  for each: token, bytes, life, ms
  Returns now, then for each: the life in ms, at least 1 | 0 not stored, because the lease was lost ]]
--- @include "now"
--- @include "header"
--- @include "store"
--- @include "wake"
local channel = ARGV[1]
local now = math.floor(now_us() / 1000)
local created = struct.pack('>I6', now)

-- The first bytes of an entry that a claim has created: no value, no settle window, and nobody waits.
local CLAIMED = MAGIC_AND_FORMAT .. string.char(EMPTY)

local function fill(key, token, bytes, life)
  local found = header_bytes(key)
  -- This is the usual case, and comparing bytes is enough to see it.
  if found and string.sub(found, 1, 3) == CLAIMED and string.sub(found, TOKEN_AT + 1) == struct.pack('>I6', token) then
    store(key, bytes, life, created)
    return life
  end

  local head = parse_header(found)
  -- A lease past its deadline still counts: its token is there, so nobody has taken it over.
  if not head or head.token ~= token then return 0 end

  local window = window_of(head, now)
  if window > 0 then life = math.min(life, window) end
  store(key, bytes, life, created)
  if window > 0 then
    -- A value that was read in a settle window may be the old one, so it must not be kept longer than the window. The flag
    -- stays, so that it also limits a refresh of this entry within the window: created-at plus lives-for is still its end.
    local fresh, stale, lives = struct.unpack('>I5I5I5', bytes, 25)
    lives = math.min(lives, life)
    redis.call('SETRANGE', key, 24, struct.pack('>I5I5I5', math.min(fresh, life), math.min(stale, life), lives))
    if lives == window then set_flags(key, bit.bor(string.byte(bytes, 3), SETTLING)) end
  end
  -- The full key follows the hash tag.
  if has(head.flags, WAITED) then wake(channel, string.sub(key, string.find(key, '}', 1, true) + 2)) end
  return life
end

local reply = { now }
for i = 1, #KEYS do
  local a = 3 * i - 1
  reply[i + 1] = fill(KEYS[i], tonumber(ARGV[a]), ARGV[a + 1], tonumber(ARGV[a + 2]))
end
return reply
