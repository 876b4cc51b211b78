--[[ Reads which events come next in a partition.
  KEYS[1]  log of the partition
  ARGV[1]  behind this position
  ARGV[2]  how many at most
  Returns {last position of the log, for each event: position, version, name of its stream} ]]
--- @include "now"
--- @include "events"
local reply = { whole(last_position(KEYS[1])) }
local entries = redis.call('XRANGE', KEYS[1], whole(tonumber(ARGV[1]) + 1), '+', 'COUNT', ARGV[2])
for _, entry in ipairs(entries) do
  local named = { s = '', v = '' }
  for i = 1, #entry[2], 2 do named[entry[2][i]] = entry[2][i + 1] end
  reply[#reply + 1] = string.match(entry[1], '^(%d+)')
  reply[#reply + 1] = named.v
  reply[#reply + 1] = named.s
end
return reply
