--[[ Adds to the present period of a counter, once for each id.
  KEYS[1]   counts by where each period begins
  KEYS[2..] what the id has done; absent without an id
  ARGV[1]   now, us, for tests
  ARGV[2]   where the period begins, ms; empty without periods
  ARGV[3]   where it ends, ms
  ARGV[4]   until when it is kept, ms; empty for ever
  ARGV[5]   name of the present period
  ARGV[6]   name of the oldest period that is kept
  ARGV[7]   how many periods are kept
  ARGV[8]   how much is added
  ARGV[9]   how long an id is remembered, ms
  Returns {0, now in ms} when it is another period | {1, 0 counted | 1 duplicate | 2 beyond the range, count} ]]
--- @include "now"
--- @include "clock"
--- @include "keep"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local from = tonumber(ARGV[2])
if from and (now < from or now >= tonumber(ARGV[3])) then return { 0, now } end
local counts, done = KEYS[1], KEYS[2]
local RANGE = 2 ^ 53 - 1
if done then
  local ends, total = string.match(redis.call('GET', done) or '', '^(%d+):(-?%d+)$')
  if ends and tonumber(ends) > now then return { 1, 1, total } end
end
local before = tonumber(redis.call('HGET', counts, ARGV[5]) or '0')
local total = before + tonumber(ARGV[8])
if total > RANGE or total < -RANGE then return { 1, 2, whole(before) } end
redis.call('HSET', counts, ARGV[5], whole(total))
if redis.call('HLEN', counts) > tonumber(ARGV[7]) then
  for _, period in ipairs(redis.call('HKEYS', counts)) do
    if tonumber(period) < tonumber(ARGV[6]) then redis.call('HDEL', counts, period) end
  end
end
if ARGV[4] ~= '' then keep_until(counts, ARGV[4], now) end
if done then
  local lives = tonumber(ARGV[9])
  redis.call('SET', done, whole(now + lives) .. ':' .. whole(total), 'PX', whole(lives))
end
return { 1, 0, whole(total) }
