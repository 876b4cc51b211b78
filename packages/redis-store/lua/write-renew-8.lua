--[[ Goes on holding a queue.
  KEYS[1]    state: last version, fence, holder
  KEYS[2]    items: by key, where its writes are
  KEYS[3]    values: by place and key
  KEYS[4]    when each key is due
  KEYS[5]    version of the oldest write of each key
  KEYS[6]    dead letters, by id
  KEYS[7]    when each was buried
  KEYS[8]    by key, the dead letter that no newer write has outdated
  ARGV[1]    now, us, for tests
  ARGV[2]    owner
  ARGV[3]    fence
  ARGV[4]    how long it holds the queue from now on, ms; 0 ends the hold
  Returns {1} | {0} when another one may hold it ]]
--- @include "now"
--- @include "clock"
--- @include "full"
--- @include "writes"
begin_even_when_full(DUE)
local now = clock_us(ARGV[1])
if not holds(ARGV[2], ARGV[3], now) then return { 0 } end
local hold_ms = tonumber(ARGV[4])
if hold_ms > 0 then
  redis.call('HSET', STATE, 'until', whole(now + hold_ms * 1000))
else
  redis.call('HDEL', STATE, 'owner', 'until')
end
return { 1 }
