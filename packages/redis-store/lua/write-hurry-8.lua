--[[ Makes what waits due now.
  KEYS[1]    state: last version, fence, holder
  KEYS[2]    items: by key, where its writes are
  KEYS[3]    values: by place and key
  KEYS[4]    when each key is due
  KEYS[5]    version of the oldest write of each key
  KEYS[6]    dead letters, by id
  KEYS[7]    when each was buried
  KEYS[8]    by key, the dead letter that no newer write has outdated
  ARGV[1]    now, us, for tests
  ARGV[2..]  keys; none for all of them
  Returns {version of the last write} ]]
--- @include "now"
--- @include "clock"
--- @include "full"
--- @include "writes"
begin_even_when_full(DUE)
local now = clock_us(ARGV[1])
if #ARGV == 1 then
  local last = redis.call('ZRANGE', DUE, -1, -1, 'WITHSCORES')
  local before = tonumber(redis.call('HGET', STATE, 'hurry') or '0')
  if last[2] and tonumber(last[2]) > before then redis.call('HSET', STATE, 'hurry', whole(tonumber(last[2]))) end
end
for i = 2, #ARGV do
  local due = redis.call('ZSCORE', DUE, ARGV[i])
  if due and (tonumber(due) > now or tonumber(due) < 0) then redis.call('ZADD', DUE, 'XX', whole(now), ARGV[i]) end
end
return { tonumber(redis.call('HGET', STATE, 'version') or '0') }
