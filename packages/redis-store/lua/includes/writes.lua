-- A queue of writes. State: a hash with the last version, fence, owner and end of the hold, and the time up to which writes were asked
-- for, the last fence whose holder has vanished, and when something was acknowledged last. Items: by key, the first and the last place of
-- its writes, the last place that was taken, how often, under which fence, how often the holder vanished then, and when that was noted. Values: by place and
-- key. Due: when a key is to be taken. Order: the version of its oldest write. Letters: by id; graves: when each was buried; latest: by key, the id of the
-- dead letter that no newer write has outdated.
local STATE, ITEMS, VALUES, DUE, ORDER, LETTERS, GRAVES, LATEST =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
-- A key that was postponed has its time minus this: so a hurry does not reach it.
local POSTPONED = 2 ^ 53
local VERSION_DIGITS = 16
local MOST_PARTS = 1000
local FACTS = { 'first', 'last', 'taken', 'tries', 'fence', 'vanished', 'at' }

local function place_of(index, key)
  return whole(index) .. ':' .. key
end

-- Above every one before, and above all of those that were lost, as far as clocks of servers agree. The first of `count`.
local function mint(field, now, count)
  local last = tonumber(redis.call('HGET', STATE, field) or '0')
  local next_one = math.max(last + 1, now)
  redis.call('HSET', STATE, field, whole(next_one + (count or 1) - 1))
  return next_one
end

local function item_of(key)
  local text = redis.call('HGET', ITEMS, key)
  if not text then return nil end
  local first, last, taken, tries, fence, vanished, at = string.match(text, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  return {
    first = tonumber(first),
    last = tonumber(last),
    taken = tonumber(taken),
    tries = tonumber(tries),
    fence = tonumber(fence),
    vanished = tonumber(vanished),
    at = tonumber(at),
  }
end

local function keep_item(key, item)
  local facts = {}
  for i, name in ipairs(FACTS) do facts[i] = whole(item[name]) end
  redis.call('HSET', ITEMS, key, table.concat(facts, ' '))
end

-- Nothing of it is taken, and nothing is held against what comes next.
local function begin_anew(item, first)
  item.first, item.taken, item.tries, item.fence, item.vanished, item.at = first, 0, 0, 0, 0, 0
end

-- Kind, version and bytes of a write.
local function part_at(index, key)
  local text = redis.call('HGET', VALUES, place_of(index, key))
  if not text then return nil end
  return string.sub(text, 1, 1), tonumber(string.sub(text, 2, VERSION_DIGITS + 1)), string.sub(text, VERSION_DIGITS + 2)
end

local function drop_parts(key, from, to)
  for index = from, to do redis.call('HDEL', VALUES, place_of(index, key)) end
end

-- How many writes of a key wait.
local function count_of(key)
  local item = item_of(key)
  return item and item.last - item.first + 1 or 0
end

local function put_write(key, kind, bytes, version, due)
  local item = item_of(key) or { first = 1, last = 0, taken = 0, tries = 0, fence = 0, vanished = 0, at = 0 }
  if kind ~= 'm' and item.last >= item.first then
    drop_parts(key, item.first, item.last)
    begin_anew(item, item.last + 1)
  end
  item.last = item.last + 1
  redis.call('HSET', VALUES, place_of(item.last, key), kind .. string.format('%016.0f', version) .. bytes)
  keep_item(key, item)
  local before = redis.call('ZSCORE', DUE, key)
  if not before or tonumber(before) > due then redis.call('ZADD', DUE, whole(due), key) end
  if item.first == item.last then redis.call('ZADD', ORDER, whole(version), key) end
  redis.call('HDEL', LATEST, key)
end

local function holds(owner, fence, now)
  local held = redis.call('HMGET', STATE, 'owner', 'fence', 'until')
  return held[1] == owner and held[2] == fence and tonumber(held[3] or '0') > now
end

-- Removes what was taken of a key. What came behind it stays.
local function drop_taken(key, item)
  drop_parts(key, item.first, item.taken)
  if item.taken == item.last then
    redis.call('HDEL', ITEMS, key)
    redis.call('ZREM', DUE, key)
    redis.call('ZREM', ORDER, key)
    return
  end
  begin_anew(item, item.taken + 1)
  keep_item(key, item)
  local _, version = part_at(item.first, key)
  redis.call('ZADD', ORDER, whole(version or 0), key)
end

-- What was taken of a key, where it is still this version.
local function taken_item(key, version)
  local item = item_of(key)
  if not item or item.taken == 0 then return nil end
  local _, held = part_at(item.taken, key)
  return held == version and item or nil
end
