--[[ Holds a queue, and takes what is due.
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
  ARGV[3]    how long it holds the queue, ms
  ARGV[4]    how many keys are taken at most
  Returns {0, ms that another one holds it} | {1, fence, ms until the next is due or -1, for each key: {key, tries, how often a holder
  vanished while it had it alone, for each write: kind, version, bytes}} ]]
--- @include "now"
--- @include "clock"
--- @include "full"
--- @include "writes"
begin_even_when_full(DUE)
local MOST_BYTES = 8 * 1024 * 1024
-- How often a write is given out with others although a holder vanished then.
local TOGETHER = 2
local MOST_AFTER_MS = 3600000
-- What comes before the writes of a key.
local HEAD = 3
local now = clock_us(ARGV[1])
local owner, most = ARGV[2], tonumber(ARGV[4])
local held = redis.call('HMGET', STATE, 'owner', 'fence', 'until', 'hurry', 'gone', 'acked')
local ends = tonumber(held[3] or '0')
if held[1] and held[1] ~= owner and ends > now then return { 0, math.ceil((ends - now) / 1000) } end
local fence = tonumber(held[2] or '0')
-- A hold that was ended is not there; the same owner is still there, and knows what became of what it took.
local gone = held[5]
if held[1] and held[1] ~= owner then
  gone = whole(fence)
  redis.call('HSET', STATE, 'gone', gone)
end
gone = tonumber(gone or '0')
local acknowledged = tonumber(held[6] or '0')
if held[1] ~= owner or ends <= now then fence = mint('fence', now) end
redis.call('HSET', STATE, 'owner', owner, 'until', whole(now + tonumber(ARGV[3]) * 1000))

local until_us = math.max(now, tonumber(held[4] or '0'))
local keys = redis.call('ZRANGEBYSCORE', DUE, '-inf', whole(now - POSTPONED), 'LIMIT', 0, most)
if #keys < most then
  local more = redis.call('ZRANGEBYSCORE', DUE, 0, whole(until_us), 'LIMIT', 0, most - #keys)
  for _, key in ipairs(more) do keys[#keys + 1] = key end
end
-- The holder vanished while it had this one: perhaps because of it. Of those that others had with it, nobody can tell. So what was twice
-- among them is taken alone from then on. Alone, it counts only when something else was written meanwhile: otherwise the database may
-- be what makes processes end. Returns whether others come first.
local function suspect(key, item)
  if item.fence == 0 or item.fence ~= gone then return false end
  item.fence = 0
  local is_alone = item.vanished >= TOGETHER
  if not is_alone or acknowledged >= item.at then item.vanished, item.at = item.vanished + 1, now end
  keep_item(key, item)
  if not is_alone then return false end
  local after = math.min(MOST_AFTER_MS, tonumber(ARGV[3]) * 2 ^ (item.vanished - TOGETHER)) * 1000
  redis.call('ZADD', DUE, whole(now + after - POSTPONED), key)
  return true
end

local function take_one(key, item)
  local write = { key, item and item.tries or 0, item and math.max(0, item.vanished - TOGETHER) or 0 }
  if item and item.taken == 0 then
    local kind = part_at(item.first, key)
    item.taken = kind == 'd' and item.first or math.min(item.last, item.first + MOST_PARTS - 1)
  end
  local size = 0
  for index = item and item.first or 1, item and item.taken or 0 do
    local kind, version, bytes = part_at(index, key)
    if kind then
      write[#write + 1] = kind
      write[#write + 1] = version
      write[#write + 1] = bytes
      size = size + #bytes
    end
  end
  if #write > HEAD then
    item.tries, item.fence = item.tries + 1, fence
    keep_item(key, item)
    return write, size
  end
  -- Half of it was lost: there is nothing to write.
  redis.call('HDEL', ITEMS, key)
  redis.call('ZREM', DUE, key)
  redis.call('ZREM', ORDER, key)
  return nil, 0
end

local writes, bytes_taken = {}, 0
for _, key in ipairs(keys) do
  if bytes_taken >= MOST_BYTES then break end
  local item = item_of(key)
  if not (item and suspect(key, item)) then
    local is_alone = item and item.vanished >= TOGETHER
    if is_alone and #writes > 0 then break end
    local write, size = take_one(key, item)
    writes[#writes + 1] = write
    bytes_taken = bytes_taken + size
    if is_alone and write then break end
  end
end
if #keys == 0 and held[4] then redis.call('HDEL', STATE, 'hurry') end
local postponed = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')
local fresh = redis.call('ZRANGEBYSCORE', DUE, 0, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local following = fresh[2] and tonumber(fresh[2])
if postponed[2] and tonumber(postponed[2]) < 0 then
  local due = tonumber(postponed[2]) + POSTPONED
  following = following and math.min(following, due) or due
end
local wait = following and math.max(0, math.ceil((following - now) / 1000)) or -1
local reply = { 1, fence, wait }
for _, write in ipairs(writes) do reply[#reply + 1] = write end
return reply
