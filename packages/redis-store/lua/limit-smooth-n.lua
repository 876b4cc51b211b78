--[[ Decides calls under a rule with a single policy, without penalty and block; see includes/limit-smooth.lua.
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
--- @include "limit-smooth"
--- @include "limit-blocks"
--- @include "text-of"
--- @include "limit-replies"
--- @include "limit-single"
local interval, burst, window = string.match(ARGV[4], '^(%d+) (%d+) (%d+)$')
return decide_under(smooth_algorithm(tonumber(interval), tonumber(burst), tonumber(window)))
