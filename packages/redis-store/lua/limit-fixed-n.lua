--[[ Decides calls under a rule with a single policy, without penalty and block; see includes/limit-fixed.lua.
  KEYS[1..]  for each call: the state, then the block
  ARGV[1]    now, us, for tests
  ARGV[2]    the longest wait, us
  ARGV[3]    limit
  ARGV[4]    the policy's other numbers, joined
  ARGV[5..]  for each call: its cost, then '?' to look only; left out when all cost 1
  Returns as limit-decide-n.lua ]]
--- @include "now"
--- @include "clock"
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
--- @include "limit-keys"
--- @include "limit-fixed"
--- @include "limit-blocks"
--- @include "text-of"
--- @include "limit-replies"
--- @include "limit-single"
return decide_under(fixed_algorithm(tonumber(ARGV[3]), tonumber(ARGV[4])))
