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
  ARGV[2..]  for each request: how long they wait, ms; how many may wait; how many writes it has; for each of those: key, v | d | m, bytes
  Returns for each request {1, version of each} | {0, how many wait} ]]
--- @include "now"
--- @include "clock"
--- @include "writes"
local now = clock_us(ARGV[1])
local waiting = redis.call('HLEN', VALUES)

local function growth_of(from, to)
  local more, counts = 0, {}
  for i = from, to, 3 do
    local key = ARGV[i]
    local before = counts[key] or count_of(key)
    local after = ARGV[i + 1] == 'm' and before + 1 or 1
    more, counts[key] = more + after - before, after
  end
  return more
end

local replies = {}
local at = 2
while at <= #ARGV do
  local due, most, count = now + tonumber(ARGV[at]) * 1000, tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local from, to = at + 3, at + 2 + 3 * count
  local more = growth_of(from, to)
  if more > 0 and waiting + more > most then
    replies[#replies + 1] = { 0, waiting }
  else
    local reply = { 1 }
    local version = mint('version', now, count)
    for i = from, to, 3 do
      put_write(ARGV[i], ARGV[i + 1], ARGV[i + 2], version, due)
      reply[#reply + 1] = version
      version = version + 1
    end
    waiting = waiting + more
    replies[#replies + 1] = reply
  end
  at = to + 1
end
return replies
