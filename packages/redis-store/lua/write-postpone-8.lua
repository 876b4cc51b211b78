--[[ Makes keys due again, later.
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
  ARGV[4]    ms from now
  ARGV[5..]  keys
  Returns {1} | {0} when another one may hold the queue: then nothing was done ]]
--- @include "now"
--- @include "clock"
--- @include "full"
--- @include "writes"
begin_even_when_full(DUE)
local now = clock_us(ARGV[1])
if not holds(ARGV[2], ARGV[3], now) then return { 0 } end
for i = 5, #ARGV do
  redis.call('ZADD', DUE, 'XX', whole(now + tonumber(ARGV[4]) * 1000 - POSTPONED), ARGV[i])
end
return { 1 }
