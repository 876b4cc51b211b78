--[[ Gives points of a key back, of no particular call, or sets its count; and tells all nodes. Permits of concurrency policies
  belong to running calls, and stay as they are.
  KEYS[1..]  the states of the policies
  ARGV[1]    now, us, for tests
  ARGV[2]    the rule, JSON
  ARGV[3]    'reward' or 'set'
  ARGV[4]    points
  ARGV[5]    channel
  ARGV[6]    message
  Returns {the most points that a policy gave back, or has now} | {-1, now, us} the calendar's edges do not reach ]]
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
local points, most = tonumber(ARGV[4]), 0

local function reward(algorithm, key)
  algorithm.read(key)
  local given = algorithm.reward(points)
  if algorithm.flush then algorithm.flush() end
  return given
end

local function set(algorithm, key)
  redis.call('UNLINK', key)
  algorithm.read(key)
  local count = math.min(points, algorithm.capacity)
  if count > 0 then algorithm.take(count, now, '') end
  return count
end

local adjust = ARGV[3] == 'set' and set or reward
for i, algorithm in ipairs(algorithms) do
  if algorithm.reward then most = max(most, adjust(algorithm, KEYS[i])) end
end
redis.call('PUBLISH', ARGV[5], ARGV[6])
return { most }
