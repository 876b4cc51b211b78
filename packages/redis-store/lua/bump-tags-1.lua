--[[ Invalidates tags: mints one version for all of them, and prunes tags that are older than every entry.
  KEYS[1]    tag clock
  ARGV[1]    version the caller knows
  ARGV[2]    retention, ms
  ARGV[3]    channel
  ARGV[4..]  tags
  Returns {previous, version, floor} ]]
--- @include "now"
--- @include "mint"
--- @include "tags"
--- @include "full"
local set = KEYS[1]
local us = now_us()
begin_even_when_full(set)
local previous, floor, retention = open_tags(set, us)
local version = mint(math.max(previous, tonumber(ARGV[1])), us)
retention = math.max(retention, tonumber(ARGV[2]))

local score = whole(version)
local tags = {}
for i = 4, #ARGV do
  tags[i - 3] = ARGV[i]
  redis.call('ZADD', set, score, 't:' .. ARGV[i])
end

-- The floor rises above the pruned tags. That costs nothing if no entry lives that long, and is safe if one does.
local function prune(last)
  redis.call('ZREMRANGEBYSCORE', set, 1, whole(last))
  floor = math.max(floor, last)
end
local old = version - retention * 1000
local oldest = redis.call('ZRANGE', set, RESERVED, RESERVED, 'WITHSCORES')[2]
if oldest and tonumber(oldest) <= old then
  prune(tonumber(redis.call('ZREVRANGEBYSCORE', set, whole(old), 1, 'WITHSCORES', 'LIMIT', 0, 1)[2]))
end
local excess = redis.call('ZCARD', set) - RESERVED - TAG_CAP
if excess > 0 then
  local rank = RESERVED + excess - 1
  prune(tonumber(redis.call('ZRANGE', set, rank, rank, 'WITHSCORES')[2]))
end
redis.call('ZADD', set, '-' .. score, '!version', whole(-floor), '!floor', whole(-retention), '!retention')
publish_tags(ARGV[3], previous, version, floor, tags)
return { previous, version, floor }
