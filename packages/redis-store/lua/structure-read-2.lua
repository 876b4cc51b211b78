--[[ Reads items of a structure.
  KEYS[1]    items
  KEYS[2]    order
  ARGV[1]    names | oldest | newest
  ARGV[2..]  names: the names; otherwise: how many are skipped from there, and how many are taken
  Returns {count, how long it lives in ms, name, version and bytes, name, ...} with those that are there ]]
--- @include "now"
--- @include "structure"
local items, order = KEYS[1], KEYS[2]
local count = mended(items, order)
local reply = { count, math.max(0, redis.call('PTTL', items)) }
local names = {}
if ARGV[1] == 'names' then
  for i = 2, #ARGV do names[#names + 1] = ARGV[i] end
else
  local skip, take = tonumber(ARGV[2]), tonumber(ARGV[3])
  -- Redis counts a place below zero from the end.
  if take > 0 then
    if ARGV[1] == 'oldest' then
      names = redis.call('ZRANGE', order, skip, skip + take - 1)
    else
      names = redis.call('ZREVRANGE', order, skip, skip + take - 1)
    end
  end
end
for start = 1, #names, AT_ONCE do
  local last = math.min(#names, start + AT_ONCE - 1)
  local some = redis.call('HMGET', items, unpack(names, start, last))
  for i = start, last do
    local held = some[i - start + 1]
    if held then
      reply[#reply + 1] = names[i]
      reply[#reply + 1] = held
    end
  end
end
return reply
