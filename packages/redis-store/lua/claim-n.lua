--[[ Claims the leases of entries, each independently of the others.
  KEYS[1..]  entries
  ARGV[1]    lease, ms
  ARGV[2..]  for each: token, or, unless the rest is as usual: "token,commit id seen or 0,token to overtake or 0,lease"
  Returns now, then for each: 1 granted | {holder, ms left} held | bytes filled meanwhile ]]
--- @include "now"
--- @include "header"
local now = math.floor(now_us() / 1000)

local usual_lease = tonumber(ARGV[1])
-- All but the token, which comes last, is the same for most.
local claimed = string.sub(empty_entry(EMPTY, 0, 0, now + usual_lease, 0), 1, TOKEN_AT)

local function claim(key, token, seen, overtake, lease)
  -- Usually there is no entry, so this is tried first. A full server refuses it in any case.
  local bytes = lease == usual_lease and claimed .. struct.pack('>I6', token)
    or empty_entry(EMPTY, 0, 0, now + lease, token)
  local outcome = redis.pcall('SET', key, bytes, 'PX', lease + SLACK, 'NX')
  if outcome and outcome.ok then return 1 end

  local head = read_header(key)
  if not head then
    redis.call('SET', key, bytes, 'PX', lease + SLACK)
    return 1
  end

  local is_news = not has(head.flags, EMPTY) and not has(head.flags, STALE)
    and head.commit ~= seen and head.created + head.fresh > now
  if is_news then return redis.call('GET', key) end

  local is_held = head.token ~= 0 and head.token ~= token and head.token ~= overtake and head.deadline > now
  if is_held then
    if not has(head.flags, WAITED) then set_flags(key, head.flags + WAITED) end
    return { head.token, head.deadline - now }
  end

  -- The waited flag stays: callers that waited for the last holder now wait for this one.
  set_lease(key, now + lease, token)
  live_at_least(key, lease + SLACK)
  return 1
end

local reply = { now }
for i = 1, #KEYS do
  local token = tonumber(ARGV[i + 1])
  if token then
    reply[i + 1] = claim(KEYS[i], token, 0, 0, usual_lease)
  else
    local own, seen, overtake, lease = string.match(ARGV[i + 1], '^(%d+),(%d+),(%d+),(%d+)$')
    reply[i + 1] = claim(KEYS[i], tonumber(own), tonumber(seen), tonumber(overtake), tonumber(lease))
  end
end
return reply
