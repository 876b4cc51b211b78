--[[ Looks at a board: at a period, or at several as one.
  KEYS[1]    order of the period, or of the merge
  KEYS[2]    bytes of each name
  KEYS[3]    scores that somebody has
  KEYS[4]    when the last score of the board was taken, us, and the rule that the board is kept by
  KEYS[5..]  the orders of the periods that are merged, the newest first; none when it is one period
  ARGV[1]    now, us, for tests
  ARGV[2]    where the present period begins, ms; empty without periods
  ARGV[3]    where it ends, ms
  ARGV[4]    max | min | last | add
  ARGV[5]    -1: the highest score is best; 1: the lowest
  ARGV[6]    first | last
  ARGV[7]    how old a merge may be, ms
  ARGV[8]    range | around
  ARGV[9]    range: how many are skipped; around: the member
  ARGV[10]   range: how many are taken; around: how many above and below
  ARGV[11]   the rule that the board is kept by, so far as it must not change
  Returns {0, now in ms} when it is another period | {2} when the board is kept by another rule | {1, count, place of the first, its place where equal scores share one, the same
  without gaps, member, score, member, score, ...} ]]
--- @include "now"
--- @include "clock"
--- @include "board"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local from = tonumber(ARGV[2])
if from and (now < from or now >= tonumber(ARGV[3])) then return { 0, now } end
local order, ids, scores = KEYS[1], KEYS[2], KEYS[3]
local update, sign, ties, max_age = ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local RANGE = 2 ^ 53 - 1
local _, rule = begun(KEYS[4])
if rule and rule ~= ARGV[11] then return { 2 } end

local function each_of(key, visit)
  local count = redis.call('ZCARD', key)
  for start = 0, count - 1, AT_ONCE do
    local some = redis.call('ZRANGE', key, start, start + AT_ONCE - 1, 'WITHSCORES')
    for i = 1, #some, 2 do
      visit(string.sub(some[i], TIE_BYTES + 1), string.sub(some[i], 1, TIE_BYTES), tonumber(some[i + 1]))
    end
  end
end

-- Whether a score as it is kept takes the place of another one. Those that are kept with the other sign compare the other way round.
local function replaces(score, other)
  if update == 'max' then return score * sign > other * sign end
  return update == 'min' and score * sign < other * sign
end

-- Of equal scores, the one that counts where they are ordered.
local function is_earlier(tie, other)
  if ties == 'last' then return tie > other end
  return tie < other
end

local function merge()
  local names, sums, marks = {}, {}, {}
  for i = 5, #KEYS do
    each_of(KEYS[i], function(name, tie, score)
      local other = sums[name]
      if not other then
        names[#names + 1], sums[name], marks[name] = name, score, tie
      elseif update == 'add' then
        -- The newest period comes first, so the sum was last changed when its mark says.
        sums[name] = math.max(-RANGE, math.min(RANGE, other + score))
      elseif replaces(score, other) or (score == other and is_earlier(tie, marks[name])) then
        if update ~= 'last' then sums[name], marks[name] = score, tie end
      end
    end)
  end
  redis.call('UNLINK', order, ids, scores)
  for _, name in ipairs(names) do put(order, ids, scores, marks[name], name, sums[name]) end
end

local is_merge = #KEYS > 4
if is_merge and (max_age == 0 or redis.call('EXISTS', order) == 0) then
  merge()
  for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], math.max(1, max_age)) end
end

local count = mend(order, ids, scores)
local first, last
if ARGV[8] == 'range' then
  first = tonumber(ARGV[9])
  last = first + tonumber(ARGV[10]) - 1
else
  local tie = redis.call('HGET', ids, ARGV[9])
  local rank = tie and redis.call('ZRANK', order, tie .. ARGV[9])
  first, last = 0, -1
  if rank then
    local each = tonumber(ARGV[10])
    first, last = math.max(0, rank - each), rank + each
  end
end
local reply = { 1, count, first + 1, 0, 0 }
-- Redis counts a place below zero from the end.
local found = last >= first and redis.call('ZRANGE', order, first, last, 'WITHSCORES') or {}
if #found > 0 then
  local below = '(' .. whole(tonumber(found[2]))
  reply[4] = redis.call('ZCOUNT', order, '-inf', below) + 1
  reply[5] = redis.call('ZCOUNT', scores, '-inf', below) + 1
end
for i = 1, #found, 2 do
  reply[#reply + 1] = string.sub(found[i], TIE_BYTES + 1)
  reply[#reply + 1] = whole(tonumber(found[i + 1]) * sign + 0)
end
if is_merge and max_age == 0 then redis.call('UNLINK', order, ids, scores) end
return reply
