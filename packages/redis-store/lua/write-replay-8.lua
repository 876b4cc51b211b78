--[[ Puts a dead letter back into the queue, as the newest write of its key.
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
  ARGV[3]    1: also when a newer write of the key came since
  Returns {0} when there is none | {1, key, version} | {2} when a newer write came ]]
--- @include "now"
--- @include "clock"
--- @include "writes"
local now = clock_us(ARGV[1])
local id = ARGV[2]
local packed = redis.call('HGET', LETTERS, id)
if not packed then return { 0 } end
local letter = cmsgpack.unpack(packed)
local key = letter[1]
if redis.call('HGET', LATEST, key) ~= id and ARGV[3] ~= '1' then return { 2 } end
redis.call('HDEL', LETTERS, id)
redis.call('ZREM', GRAVES, id)
local version
for i = 5, #letter, 3 do
  version = mint('version', now)
  put_write(key, letter[i], letter[i + 2], version, now)
end
return { 1, key, version }
