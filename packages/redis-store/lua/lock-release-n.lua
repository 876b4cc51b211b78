--[[ Ends holds, and wakes the next waiter of each lock.
  KEYS[1..]  for each lock: the lock, its queue, its waiters
  ARGV[1]    now, us, for tests
  ARGV[2..]  for each lock: mode and owner
  Returns a digit for each lock: 1 released | 0 was not held any more | 2 failed; then a line of text for each that failed ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
--- @include "text-of"
local function release(lock, queue, waiters, member)
  -- A hold is also released if its term has ended and nobody took the lock since: its holder knows that from its own clock.
  local was_held = redis.call('ZREM', lock, member)
  if was_held == 1 and redis.call('EXISTS', queue) == 1 then wake_head(queue, waiters, clock_us(ARGV[1])) end
  return was_held
end

local reply, errors = {}, {}
for i = 1, #KEYS / 3 do
  local is_answered, outcome = pcall(release, KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i], ARGV[i + 1])
  if not is_answered then
    errors[#errors + 1] = text_of(outcome)
    outcome = 2
  end
  reply[i] = outcome
end
return table.concat(reply) .. table.concat(errors, '\n')
