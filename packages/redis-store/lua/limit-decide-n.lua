--[[ Decides calls under one rule, one after the other. Either all policies admit a call, or it changes none of them.
  KEYS[1..]  for each call: the states of the policies, then the block
  ARGV[1]    now, us, for tests
  ARGV[2]    the rule, JSON
  ARGV[3..]  for each call: its cost, then '?' to look only or ':permit'
  Returns doubles, packed (a list of integers costs as much as the decisions): now, then for each call: 1 admitted |
  0 refused | -1 above every limit | -2 failed, us to wait, refusing policy or -1, and for each policy what is left, us until all of it
  is back; then a line of text for each that failed; only now when the calendar's edges do not reach ]]
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
--- @include "limit-blocks"
--- @include "text-of"
--- @include "limit-replies"
local rule = cjson.decode(ARGV[2])
local max_wait, block = rule.maxWait, rule.block
local algorithms = algorithms_of(rule.policies)
if not algorithms then return pack('>d', now) end
local count = #algorithms

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

-- Applies what the rule says of refusals (penalty, block). Returns when the call would be admitted after that.
local function penalize(cost, block_key, at, refusing)
  if rule.penalty then
    for i = 1, count do algorithms[i].penalize(cost) end
    at = earliest(cost)
  end
  if block > 0 then
    block_until(block_key, now + block, refusing)
    at = max(at, now + max_wait + block)
  end
  return at
end

-- Status, us to wait, refusing policy.
local function outcome_of(cost, is_look, permit, block_key)
  local blocked, by = block_of(block_key, count)
  if blocked > now then return 0, blocked - now, by end
  if cost == 0 then return 1, 0, 0 end
  local dear = too_dear(cost)
  if dear then return -1, 0, dear end
  local at, refusing = earliest(cost)
  if at - now > max_wait then
    if not is_look then at = penalize(cost, block_key, at, refusing) end
    return 0, at - now - max_wait, refusing
  end
  if not is_look then
    for i = 1, count do algorithms[i].take(cost, at, permit) end
  end
  return 1, at - now, 0
end

local function decide(call_number, reply, at)
  local keys = (call_number - 1) * (count + 1)
  for i = 1, count do algorithms[i].read(KEYS[keys + i]) end
  local word = ARGV[2 + call_number]
  local cost, rest = tonumber(word), ''
  if not cost then
    local digits
    digits, rest = string.match(word, '^(%d+)(.*)$')
    cost = tonumber(digits)
  end
  local block_key = KEYS[keys + count + 1]
  local status, wait, refusing = outcome_of(cost, rest == '?', string.sub(rest, 2), block_key)
  reply[at + 1], reply[at + 2], reply[at + 3] = status, wait, refusing - 1
  for i = 1, count do
    reply[at + 2 + 2 * i], reply[at + 3 + 2 * i] = algorithms[i].standing()
  end
end

look_for_blocks(count + 1)
return decide_each(#ARGV - 2, 3 + 2 * count, decide)
