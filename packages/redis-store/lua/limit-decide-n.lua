--[[ Decides calls under one rule, one after the other: all policies admit a call, or none is changed by it.
  KEYS[1..] for each call: the states of the policies, then the block if the rule has one
  ARGV[1] now, us, for tests   ARGV[2] the rule, JSON   ARGV[3..] for each call: its cost, then '?' to look only or ':permit'
  Returns doubles, packed (a list of integers costs as much as the decisions): now, then for each call: 1 admitted |
  0 refused | -1 too dear, us to wait, refusing policy or -1, and for each policy what is left, us until all of it is back;
  only now when the calendar's edges do not reach ]]
--- @include "now"
--- @include "clock"
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
--- @include "limit-keys"
--- @include "limit-exact"
--- @include "limit-window"
--- @include "limit-smooth"
--- @include "limit-fixed"
--- @include "limit-concurrency"
--- @include "limit-policies"
local rule = cjson.decode(ARGV[2])
local max_wait, block = rule.maxWait, rule.block
local algorithms = algorithms_of(rule.policies)
if not algorithms then return pack('>d', now) end
local count = #algorithms
local reply, length = { now }, 1

local function answer(status, wait, refusing)
  reply[length + 1], reply[length + 2], reply[length + 3] = status, wait, refusing - 1
  length = length + 3
  for i = 1, count do
    reply[length + 1], reply[length + 2] = algorithms[i].standing()
    length = length + 2
  end
end

-- The time when all policies admit a call, and the policy that does so last.
local function earliest(cost)
  local at, last = now, 0
  for i = 1, count do
    local own = algorithms[i].earliest(cost)
    if own > at then at, last = own, i end
  end
  return at, last
end

local function too_dear(cost)
  for i = 1, count do
    if cost > algorithms[i].capacity then return i end
  end
end

-- What a refusal changes, if the rule says that it changes anything; returns when the call would be admitted then.
local function punish(cost, block_key, at, refusing)
  if rule.penalty then
    for i = 1, count do algorithms[i].penalize(cost) end
    at = earliest(cost)
  end
  if block > 0 then
    call('SET', block_key, pack('>I7I2', now + block, refusing), 'PX', life_of(block))
    at = max(at, now + max_wait + block)
  end
  return at
end

-- Until when a key is blocked, and by which policy.
local function block_of(block_key)
  local bytes = call('GET', block_key)
  if not bytes then return 0, 0 end
  local ends, by = unpacked('>I7I2', bytes)
  -- Where the server's clock was set back: a block is never longer than it was meant to be.
  return math.min(ends, now + block), math.min(by, count)
end

local function decide(cost, is_look, permit, block_key)
  if block > 0 then
    local ends, by = block_of(block_key)
    if ends > now then return answer(0, ends - now, by) end
  end
  if cost == 0 then return answer(1, 0, 0) end
  local dear = too_dear(cost)
  if dear then return answer(-1, 0, dear) end
  local at, refusing = earliest(cost)
  if at - now > max_wait then
    if not is_look then at = punish(cost, block_key, at, refusing) end
    return answer(0, at - now - max_wait, refusing)
  end
  if not is_look then
    for i = 1, count do algorithms[i].take(cost, at, permit) end
  end
  answer(1, at - now, 0)
end

local key = 0
for word = 3, #ARGV do
  for i = 1, count do algorithms[i].read(KEYS[key + i]) end
  key = key + count
  if block > 0 then key = key + 1 end
  local cost = tonumber(ARGV[word])
  if cost then
    decide(cost, false, '', KEYS[key])
  else
    local digits, rest = string.match(ARGV[word], '^(%d+)(.*)$')
    decide(tonumber(digits), rest == '?', string.sub(rest, 2), KEYS[key])
  end
end
return pack('>' .. string.rep('d', length), unpack(reply))
