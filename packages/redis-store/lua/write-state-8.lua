--[[ Says how a queue stands.
  KEYS[1]    state: last version, fence, holder
  KEYS[2]    items: by key, where its writes are
  KEYS[3]    values: by place and key
  KEYS[4]    when each key is due
  KEYS[5]    version of the oldest write of each key
  KEYS[6]    dead letters, by id
  KEYS[7]    when each was buried
  KEYS[8]    by key, the dead letter that no newer write has outdated
  ARGV[1]    now, us, for tests
  ARGV[2]    a version
  Returns {writes that wait, keys that wait, dead letters, keys whose oldest write has a version up to that one, age of the oldest write, ms} ]]
--- @include "now"
--- @include "clock"
--- @include "writes"
local now = clock_us(ARGV[1])
local oldest = redis.call('ZRANGE', ORDER, 0, 0, 'WITHSCORES')
return {
  redis.call('HLEN', VALUES),
  redis.call('HLEN', ITEMS),
  redis.call('HLEN', LETTERS),
  redis.call('ZCOUNT', ORDER, '-inf', ARGV[2]),
  oldest[2] and math.max(0, math.floor((now - tonumber(oldest[2])) / 1000)) or 0,
}
