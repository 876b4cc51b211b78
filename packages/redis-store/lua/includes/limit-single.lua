-- Decides calls under a single policy; what lua/limit-decide-n.lua does, without what only several policies need.
local function decide_under(policy)
  local read, earliest, take, standing = policy.read, policy.earliest, policy.take, policy.standing
  local capacity, max_wait = policy.capacity, tonumber(ARGV[2])
  look_for_blocks(2)

  local function decide(i, reply, at)
    -- Usually all calls cost 1, and then no costs are sent.
    local word = ARGV[4 + i] or 1
    local cost = tonumber(word)
    local is_look = false
    if not cost then
      is_look = string.sub(word, -1) == '?'
      cost = tonumber(string.match(word, '^%d+'))
    end
    read(KEYS[2 * i - 1])
    local status, wait, refusing = 1, 0, -1
    local blocked = block_of(KEYS[2 * i], 1)
    if blocked > now then
      status, wait, refusing = 0, blocked - now, 0
    elseif cost > capacity then
      status, refusing = -1, 0
    elseif cost > 0 then
      local turn = earliest(cost)
      wait = turn - now
      if wait > max_wait then
        status, wait, refusing = 0, wait - max_wait, 0
      elseif not is_look then
        take(cost, turn)
      end
    end
    reply[at + 1], reply[at + 2], reply[at + 3] = status, wait, refusing
    reply[at + 4], reply[at + 5] = standing()
  end

  return decide_each(#KEYS / 2, 5, decide)
end
