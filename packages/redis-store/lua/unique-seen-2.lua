--[[ Notes visitors in the present period.
  KEYS[1]    visitors, while they are few
  KEYS[2]    HyperLogLog, once they are many
  ARGV[1]    now, us, for tests
  ARGV[2]    where the period begins, ms; empty without periods
  ARGV[3]    where it ends, ms
  ARGV[4]    until when it is kept, ms; empty for ever
  ARGV[5]    a period with fewer visitors is counted exactly
  ARGV[6..]  visitors
  Returns {0, now in ms} when it is another period | {1} ]]
--- @include "now"
--- @include "clock"
--- @include "keep"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local from = tonumber(ARGV[2])
if from and (now < from or now >= tonumber(ARGV[3])) then return { 0, now } end
local few, many = KEYS[1], KEYS[2]
local AT_ONCE = 1000
if redis.call('EXISTS', many) == 1 then
  redis.call('PFADD', many, unpack(ARGV, 6))
else
  redis.call('SADD', few, unpack(ARGV, 6))
  if redis.call('SCARD', few) >= tonumber(ARGV[5]) then
    local all = redis.call('SMEMBERS', few)
    for i = 1, #all, AT_ONCE do redis.call('PFADD', many, unpack(all, i, math.min(#all, i + AT_ONCE - 1))) end
    redis.call('UNLINK', few)
  end
end
if ARGV[4] ~= '' then
  keep_until(few, ARGV[4], now)
  keep_until(many, ARGV[4], now)
end
return { 1 }
