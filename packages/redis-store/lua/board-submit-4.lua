--[[ Takes scores for the present period of a board, one after the other.
  KEYS[1]    order of the period
  KEYS[2]    bytes of each name
  KEYS[3]    scores that somebody has
  KEYS[4]    when the last score of the board was taken, us, and the rule that the board is kept by
  ARGV[1]    now, us, for tests
  ARGV[2]    where the period begins, ms; empty without periods
  ARGV[3]    where it ends, ms
  ARGV[4]    until when it is kept, ms; empty for ever
  ARGV[5]    max | min | last | add
  ARGV[6]    -1: the highest score is best; 1: the lowest
  ARGV[7]    first | last
  ARGV[8]    how many members are kept
  ARGV[9]    the rule that the board is kept by, so far as it must not change
  ARGV[10..] for each score: the member, the score
  Returns {0, now in ms} when it is another period | {2} when the board is kept by another rule | {1, for each score: what came of it (0 kept | 1 dropped | 2 beyond the range), the
  score, the score before or nothing} ]]
--- @include "now"
--- @include "clock"
--- @include "keep"
--- @include "board"
local now_us_given = clock_us(ARGV[1])
local now = math.floor(now_us_given / 1000)
local from = tonumber(ARGV[2])
if from and (now < from or now >= tonumber(ARGV[3])) then return { 0, now } end
local order, ids, scores, clock = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local update, sign, ties, keep = ARGV[5], tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
local RANGE = 2 ^ 53 - 1
-- Larger with each score, also when the clock is set back: of equal scores it says which one was first.
local taken_at, rule = begun(clock)
if rule and rule ~= ARGV[9] then return { 2 } end
local stamp = math.max(now_us_given, taken_at)
mend(order, ids, scores)

local function updated(before, given)
  if not before or update == 'last' then return given end
  if update == 'add' then return before + given end
  return update == 'max' and math.max(before, given) or math.min(before, given)
end

-- Lua writes a zero with a sign as -0, and Redis would keep it.
local function kept_as(score)
  return score * sign + 0
end

local function trim()
  local surplus = math.min(redis.call('ZCARD', order) - keep, AT_ONCE)
  if surplus <= 0 then return end
  local worst = redis.call('ZRANGE', order, -surplus, -1, 'WITHSCORES')
  for i = 1, #worst, 2 do
    local tie, name = string.sub(worst[i], 1, TIE_BYTES), string.sub(worst[i], TIE_BYTES + 1)
    drop(order, ids, scores, tie, name, tonumber(worst[i + 1]))
  end
end

local reply = { 1 }
for i = 10, #ARGV, 2 do
  local name, given = ARGV[i], tonumber(ARGV[i + 1])
  local stored, tie = held(order, ids, name)
  local before = stored and kept_as(stored)
  local score = updated(before, given)
  local outcome = 0
  if score > RANGE or score < -RANGE then
    outcome, score = 2, before
  elseif score ~= before then
    stamp = stamp + 1
    if stored then drop(order, ids, scores, tie, name, stored) end
    put(order, ids, scores, tie_of(stamp, ties), name, kept_as(score))
    trim()
    if redis.call('HEXISTS', ids, name) == 0 then outcome = 1 end
  end
  reply[#reply + 1] = outcome
  reply[#reply + 1] = whole(score)
  reply[#reply + 1] = before and whole(before) or ''
end
redis.call('SET', clock, whole(stamp) .. ':' .. ARGV[9], 'KEEPTTL')
if ARGV[4] ~= '' then
  for i = 1, 4 do keep_until(KEYS[i], ARGV[4], now) end
end
return reply
