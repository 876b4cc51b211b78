--[[ Lists the tags invalidated after a version.
  KEYS[1]  tag clock
  ARGV[1]  version
  Returns {version, floor, tag, its version, ...} ]]
--- @include "now"
--- @include "mint"
--- @include "tags"
local set = KEYS[1]
local version, floor = open_tags(set, now_us())
local reply = { version, floor }
local from = math.max(tonumber(ARGV[1]), 0)
local found = redis.call('ZRANGEBYSCORE', set, '(' .. whole(from), '+inf', 'WITHSCORES')
for i = 1, #found, 2 do
  reply[#reply + 1] = string.sub(found[i], 3)
  reply[#reply + 1] = tonumber(found[i + 1])
end
return reply
