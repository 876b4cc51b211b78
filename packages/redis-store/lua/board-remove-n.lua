--[[ Removes a member from periods of a board.
  KEYS[1..]  for each period: its order, the bytes of each name, the scores that somebody has
  ARGV[1]    now, us, for tests
  ARGV[2]    where the present period begins, ms; empty without periods
  ARGV[3]    where it ends, ms
  ARGV[4]    member
  Returns {0, now in ms} when it is another period | {1, how many periods it was in} ]]
--- @include "now"
--- @include "clock"
--- @include "board"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local from = tonumber(ARGV[2])
if from and (now < from or now >= tonumber(ARGV[3])) then return { 0, now } end
local removed = 0
for i = 1, #KEYS, 3 do
  mend(KEYS[i], KEYS[i + 1], KEYS[i + 2])
  local score, tie = held(KEYS[i], KEYS[i + 1], ARGV[4])
  if score then
    drop(KEYS[i], KEYS[i + 1], KEYS[i + 2], tie, ARGV[4], score)
    removed = removed + 1
  end
end
return { 1, removed }
