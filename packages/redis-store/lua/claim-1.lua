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

local head = read_header(key)
if not head then
  redis.call('SET', key, empty_entry(EMPTY, 0, 0, now + lease, token), 'PX', whole(lease + SLACK))
  return { 1, now }
end

local is_news = not has(head.flags, EMPTY) and not has(head.flags, STALE)
  and head.commit ~= seen and head.created + head.fresh > now
if is_news then return { 2, now, redis.call('GET', key) } end

local is_held = head.token ~= 0 and head.token ~= token and head.token ~= overtake and head.deadline > now
if is_held then
  if not has(head.flags, WAITED) then set_flags(key, head.flags + WAITED) end
  return { 0, now, head.token, head.deadline - now }
end

-- The waited flag stays: whoever waited for the last holder now waits for this one.
set_lease(key, now + lease, token)
live_at_least(key, lease + SLACK)
return { 1, now }
