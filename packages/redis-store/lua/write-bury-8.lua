--[[ Makes a write a dead letter.
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
  ARGV[4]    key
  ARGV[5]    version that was taken
  ARGV[6]    id of the dead letter
  ARGV[7]    text of the error
  ARGV[8]    how many dead letters are kept
  Returns {0} when another one may hold the queue | {1} buried | {2} when a newer write has taken its place | {3} when there are too many ]]
--- @include "now"
--- @include "clock"
--- @include "full"
--- @include "writes"
begin_even_when_full(DUE)
local now = clock_us(ARGV[1])
if not holds(ARGV[2], ARGV[3], now) then return { 0 } end
local key, id = ARGV[4], ARGV[6]
local item = taken_item(key, tonumber(ARGV[5]))
if not item then return { 2 } end
if redis.call('HLEN', LETTERS) >= tonumber(ARGV[8]) then return { 3 } end
local letter = { key, whole(now), whole(item.tries), ARGV[7] }
for index = item.first, item.taken do
  local kind, version, bytes = part_at(index, key)
  if kind then
    letter[#letter + 1] = kind
    letter[#letter + 1] = whole(version)
    letter[#letter + 1] = bytes
  end
end
local is_last = item.taken == item.last
drop_taken(key, item)
redis.call('HSET', LETTERS, id, cmsgpack.pack(letter))
redis.call('ZADD', GRAVES, whole(now), id)
if is_last then redis.call('HSET', LATEST, key, id) end
return { 1 }
