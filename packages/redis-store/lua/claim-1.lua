--[[ Claims the right to load an entry.
  KEYS[1] entry
  ARGV[1] token   ARGV[2] lease, ms   ARGV[3] commit id seen, 0 for none   ARGV[4] token to overtake, 0 for none
  Returns {1, now} granted | {0, now, holder, ms left} held | {2, now, bytes} filled meanwhile ]]
--- @include "now"
--- @include "header"
local key = KEYS[1]
local token, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
local seen, overtake = tonumber(ARGV[3]), tonumber(ARGV[4])
local now = math.floor(now_us() / 1000)
-- The key outlives the lease a little, so that a fill at the last moment still finds its token.
local SLACK = 1000

local head = read_header(key)
if not head then
  local bytes = string.char(202, 1, EMPTY, 0) .. string.rep('\0', HEADER - 4 - 12)
    .. struct.pack('>I6I6', now + lease, token)
  redis.call('SET', key, bytes, 'PX', whole(lease + SLACK))
  return { 1, whole(now) }
end

local is_held = head.token ~= 0 and head.token ~= token and head.token ~= overtake and head.deadline > now
local is_value = not has(head.flags, EMPTY)
local is_news = is_value and head.commit ~= seen and not has(head.flags, STALE)
  and head.created + head.fresh > now
if is_news then return { 2, whole(now), redis.call('GET', key) } end
if is_held then
  set_flags(key, with(head.flags, WAITED))
  return { 0, whole(now), whole(head.token), whole(head.deadline - now) }
end

-- The waited flag stays: whoever waited for the last holder now waits for this one.
set_lease(key, now + lease, token)
live_at_least(key, lease + SLACK)
return { 1, whole(now) }
