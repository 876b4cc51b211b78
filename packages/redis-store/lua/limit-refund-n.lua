--[[ Takes an admission back, in the policies where that is safe, and says so to everybody.
  KEYS[1..] the states of the policies
  ARGV[1] now, us, for tests   ARGV[2] the rule, JSON   ARGV[3] cost   ARGV[4] when it was decided, us
  ARGV[5] how long it had to wait, us   ARGV[6] permit   ARGV[7] channel   ARGV[8] message
  Returns {1} something was given back | {0} it is too long ago, or others came since | {-1, now, us} the calendar's edges
  do not reach ]]
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
local cost, decided = tonumber(ARGV[3]), tonumber(ARGV[4])
local at = decided + tonumber(ARGV[5])
local algorithms = algorithms_of(cjson.decode(ARGV[2]).policies)
if not algorithms then return { -1, now } end
local given = 0
for i, algorithm in ipairs(algorithms) do
  algorithm.read(KEYS[i])
  if algorithm.refund(cost, at, decided, ARGV[6]) then given = 1 end
end
if given == 1 then redis.call('PUBLISH', ARGV[7], ARGV[8]) end
return { given }
