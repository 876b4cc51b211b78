--[[ Removes a dead letter.
  KEYS[1]    state: last version, fence, holder
  KEYS[2]    items: by key, where its writes are
  KEYS[3]    values: by place and key
  KEYS[4]    when each key is due
  KEYS[5]    version of the oldest write of each key
  KEYS[6]    dead letters, by id
  KEYS[7]    when each was buried
  KEYS[8]    by key, the dead letter that no newer write has outdated
  ARGV[1]    now, us, for tests
  ARGV[2]    id
  Returns {1} | {0} when there is none ]]
--- @include "now"
--- @include "full"
--- @include "writes"
begin_even_when_full(DUE)
local id = ARGV[2]
local packed = redis.call('HGET', LETTERS, id)
if not packed then return { 0 } end
local key = cmsgpack.unpack(packed)[1]
redis.call('HDEL', LETTERS, id)
redis.call('ZREM', GRAVES, id)
if redis.call('HGET', LATEST, key) == id then redis.call('HDEL', LATEST, key) end
return { 1 }
