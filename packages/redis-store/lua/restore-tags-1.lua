--[[ Puts back tag versions that the store lost: the higher of both versions wins, for each tag and for the clock.
  KEYS[1] tag clock
  ARGV[1] clock   ARGV[2] channel   ARGV[3..] tag, version, ...
  Returns number of tags raised ]]
--- @include "now"
--- @include "mint"
--- @include "tags"
--- @include "full"
local set = KEYS[1]
begin_even_when_full(set)
local previous, floor = open_tags(set, now_us())
local version = math.max(previous, tonumber(ARGV[1]))
local raised = {}
for i = 3, #ARGV, 2 do
  local known = redis.call('ZSCORE', set, 't:' .. ARGV[i])
  if not known or tonumber(known) < tonumber(ARGV[i + 1]) then
    redis.call('ZADD', set, ARGV[i + 1], 't:' .. ARGV[i])
    raised[#raised + 1] = ARGV[i]
  end
end
if #raised == 0 and version == previous then return 0 end
redis.call('ZADD', set, '-' .. whole(version), '!version')
publish_tags(ARGV[2], previous, version, floor, raised)
return #raised
