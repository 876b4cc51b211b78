-- The tag clock in one sorted set, so that losing it is all or nothing. Reserved members have scores <= 0.
local RESERVED = 3
local TAG_CAP = 100000

-- Returns version, floor, and the longest retention any node has asked for.
local function open_tags(set, us)
  local head = redis.call('ZMSCORE', set, '!version', '!floor', '!retention')
  if head[1] then
    return -tonumber(head[1]), -tonumber(head[2] or head[1]), -tonumber(head[3] or '0')
  end
  -- A new clock invalidates every entry from before it, because it is unknown which tags were invalidated until now.
  local first = mint(0, us)
  redis.call('ZADD', set, '-' .. whole(first), '!version', '-' .. whole(first), '!floor', '0', '!retention')
  return first, first, 0
end

local function publish_tags(channel, previous, version, floor, tags)
  redis.call('PUBLISH', channel,
    't' .. cmsgpack.pack({ whole(previous), whole(version), whole(floor), tags }))
end
