--[[ Prolongs the permits of one call to a full term from now.
  KEYS[1..]  the states of the rule's concurrency policies
  ARGV[1]    now, us, for tests
  ARGV[2]    the rule with those policies only, JSON
  ARGV[3]    cost
  ARGV[4]    permit
  Returns 1 prolonged | 0 had ended ]]
--- @include "now"
--- @include "clock"
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
--- @include "limit-keys"
--- @include "limit-concurrency"
local cost, permit = tonumber(ARGV[3]), ARGV[4]
local is_held = 1
for i, policy in ipairs(cjson.decode(ARGV[2]).policies) do
  local permits = concurrency_algorithm(policy.limit, policy.term)
  permits.read(KEYS[i])
  if not permits.renew(cost, permit) then is_held = 0 end
end
return is_held
