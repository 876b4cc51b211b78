--[[ Ends leases, and wakes who is next for each.
  KEYS[1..] for each lock: the lock, its queue, its waiters
  ARGV[1] now, us, for tests   ARGV[2..] for each lock: mode and owner
  Returns a digit for each lock: 1 released | 0 was not held any more ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
local reply = {}
for i = 1, #KEYS / 3 do
  -- A lease that has ended, and that nobody came for, is released all the same: its holder knows by its own clock.
  reply[i] = redis.call('ZREM', KEYS[3 * i - 2], ARGV[i + 1])
  if reply[i] == 1 and redis.call('EXISTS', KEYS[3 * i - 1]) == 1 then
    wake_head(KEYS[3 * i - 1], KEYS[3 * i], clock_us(ARGV[1]))
  end
end
return table.concat(reply)
