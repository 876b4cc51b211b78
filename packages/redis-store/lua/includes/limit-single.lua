-- Decides calls under a single policy; what lua/limit-decide-n.lua does, without what only several policies need.
local function decide_under(policy)
  local read, earliest, take, standing = policy.read, policy.earliest, policy.take, policy.standing
  local capacity, max_wait = policy.capacity, tonumber(ARGV[2])
  local reply, length = { now }, 1
  for i = 1, #KEYS do
    -- Mostly all calls cost 1, and then no costs are sent.
    local word = ARGV[4 + i] or 1
    local cost = tonumber(word)
    local is_look = false
    if not cost then
      is_look = string.sub(word, -1) == '?'
      cost = tonumber(string.match(word, '^%d+'))
    end
    read(KEYS[i])
    local status, wait, refusing = 1, 0, -1
    if cost > capacity then
      status, refusing = -1, 0
    elseif cost > 0 then
      local at = earliest(cost)
      wait = at - now
      if wait > max_wait then
        status, wait, refusing = 0, wait - max_wait, 0
      elseif not is_look then
        take(cost, at)
      end
    end
    reply[length + 1], reply[length + 2], reply[length + 3] = status, wait, refusing
    reply[length + 4], reply[length + 5] = standing()
    length = length + 5
  end
  return pack('>' .. string.rep('d', length), unpack(reply))
end
