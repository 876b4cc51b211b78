--[[ Says that a consumer has these entries.
  KEYS[1]   stream
  ARGV[1]   group
  ARGV[2]   consumer
  ARGV[3..] entries
  Returns those that are not its own ]]
--- @include "stream"
local lost = {}
for i = 3, #ARGV do
  if pending(KEYS[1], ARGV[1], ARGV[i]) == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
