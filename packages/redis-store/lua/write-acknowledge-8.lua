--[[ Removes what was written, where it is still the version that was taken.
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
  ARGV[4..]  for each: key, version
  Returns {1} | {0} when another one may hold the queue: then nothing was done ]]
--- @include "now"
--- @include "clock"
--- @include "full"
--- @include "writes"
begin_even_when_full(DUE)
local now = clock_us(ARGV[1])
if not holds(ARGV[2], ARGV[3], now) then return { 0 } end
local is_any = false
for i = 4, #ARGV, 2 do
  local key = ARGV[i]
  local item = taken_item(key, tonumber(ARGV[i + 1]))
  if item then
    drop_taken(key, item)
    is_any = true
  end
end
if is_any then redis.call('HSET', STATE, 'acked', whole(now)) end
return { 1 }
