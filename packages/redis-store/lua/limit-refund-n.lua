--[[ Takes admissions of one key back, in the policies where that is safe, and tells all nodes.
  KEYS[1..]  the states of the policies
  ARGV[1]    now, us, for tests
  ARGV[2]    the rule, JSON
  ARGV[3]    channel
  ARGV[4]    message
  ARGV[5..]  for each admission: cost, when it was decided, us, how long it had to wait, us, permit
  Returns {1 something was given back | 0 it is too long ago, or others came since, for each} | {-1, now, us} the calendar's
  edges do not reach ]]
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
local algorithms = algorithms_of(cjson.decode(ARGV[2]).policies)
if not algorithms then return { -1, now } end
local given, is_any, failure, is_read = {}, false, nil, false
for i = 1, (#ARGV - 4) / 4 do given[i] = 0 end

local function give_back(algorithm, key)
  algorithm.read(key)
  for i = 1, #given do
    local word = 1 + 4 * i
    local cost, decided, wait = tonumber(ARGV[word]), tonumber(ARGV[word + 1]), tonumber(ARGV[word + 2])
    if algorithm.refund(cost, decided + wait, ARGV[word + 3]) then given[i], is_any = 1, true end
  end
  if algorithm.flush then algorithm.flush() end
end

for i, algorithm in ipairs(algorithms) do
  -- Policies do not depend on each other's keys.
  local is_done, reason = pcall(give_back, algorithm, KEYS[i])
  if is_done then is_read = true else failure = reason end
end
if failure and not is_read then error(failure) end
if is_any then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
return given
