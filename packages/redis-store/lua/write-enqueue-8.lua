--[[ Puts writes into a queue, all of them or none.
  KEYS[1]    state: last version, fence, holder
  KEYS[2]    items: by key, where its writes are
  KEYS[3]    values: by place and key
  KEYS[4]    when each key is due
  KEYS[5]    version of the oldest write of each key
  KEYS[6]    dead letters, by id
  KEYS[7]    when each was buried
  KEYS[8]    by key, the dead letter that no newer write has outdated
  ARGV[1]    now, us, for tests
  ARGV[2]    how long they wait, ms
  ARGV[3]    how many may wait
  ARGV[4..]  for each: key, v | d | m, bytes
  Returns {1, version of each} | {0, how many wait} ]]
--- @include "now"
--- @include "clock"
--- @include "writes"
local now = clock_us(ARGV[1])
local due, most = now + tonumber(ARGV[2]) * 1000, tonumber(ARGV[3])
local waiting = redis.call('HLEN', VALUES)
local more, added = 0, {}
for i = 4, #ARGV, 3 do
  local key, kind = ARGV[i], ARGV[i + 1]
  if kind == 'm' then
    more = more + 1
    added[key] = (added[key] or 0) + 1
  elseif added[key] then
    more, added[key] = more + 1 - added[key], 1
  else
    more, added[key] = more + growth(key, kind), 1
  end
end
if more > 0 and waiting + more > most then return { 0, waiting } end
local reply = { 1 }
for i = 4, #ARGV, 3 do
  local version = mint('version', now)
  put_write(ARGV[i], ARGV[i + 1], ARGV[i + 2], version, due)
  reply[#reply + 1] = version
end
return reply
