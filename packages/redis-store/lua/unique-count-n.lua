--[[ Counts the visitors of the last periods together.
  KEYS[1]    HyperLogLog of all these periods but the present one, kept for the next question
  KEYS[2]    HyperLogLog of all of them, while this runs
  KEYS[3..]  for each period, the present one first: its visitors, its HyperLogLog
  ARGV[1]    now, us, for tests
  ARGV[2]    where the present period begins, ms; empty without periods
  ARGV[3]    where it ends, ms
  ARGV[4]    how many visitors are united exactly
  ARGV[5]    how long the first key is kept, ms
  Returns {0, now in ms} when it is another period | {1, count, 1 exact | 0 estimated} ]]
--- @include "now"
--- @include "clock"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local from = tonumber(ARGV[2])
if from and (now < from or now >= tonumber(ARGV[3])) then return { 0, now } end
local past, united = KEYS[1], KEYS[2]
local AT_ONCE = 1000

local function add_members(key, set)
  local all = redis.call('SMEMBERS', set)
  for i = 1, #all, AT_ONCE do redis.call('PFADD', key, unpack(all, i, math.min(#all, i + AT_ONCE - 1))) end
end

local sets, total, is_exact = {}, 0, true
for i = 3, #KEYS, 2 do
  sets[#sets + 1] = KEYS[i]
  total = total + redis.call('SCARD', KEYS[i])
  if redis.call('EXISTS', KEYS[i + 1]) == 1 then is_exact = false end
end
if is_exact and #sets == 1 then return { 1, total, 1 } end
if is_exact and total <= tonumber(ARGV[4]) then return { 1, #redis.call('SUNION', unpack(sets)), 1 } end
if #sets == 1 then return { 1, redis.call('PFCOUNT', KEYS[4]), 0 } end

-- The first write, which a server that is full takes; after it, it takes those of the same step as well, so that reading works there.
redis.call('UNLINK', united)
-- Of periods that are over, nothing changes any more. Over several keys, PFCOUNT would merge them at each call.
if redis.call('EXISTS', past) == 0 then
  local logs = {}
  for i = 5, #KEYS, 2 do logs[#logs + 1] = KEYS[i + 1] end
  redis.call('PFMERGE', past, unpack(logs))
  for i = 5, #KEYS, 2 do add_members(past, KEYS[i]) end
  redis.call('PEXPIRE', past, ARGV[5])
end
redis.call('PFMERGE', united, past, KEYS[4])
add_members(united, KEYS[3])
local count = redis.call('PFCOUNT', united)
redis.call('UNLINK', united)
return { 1, count, 0 }
