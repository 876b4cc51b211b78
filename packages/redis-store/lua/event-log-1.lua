--[[ Reads which events come next in a partition.
  KEYS[1]  log of the partition
  ARGV[1]  behind this position
  ARGV[2]  mark of the event at it; empty when it is not known
  ARGV[3]  how many at most
  Returns {last position of the log, 1 | 0 when the event behind which is read is not there any more,
  for each event: position, version, name of its stream, mark} ]]
--- @include "now"
--- @include "events"
local log, after = KEYS[1], tonumber(ARGV[1])
local reply = { whole(last_position(log)), 1 }
if ARGV[2] ~= '' and not is_continued(log, after, ARGV[2]) then
  reply[2] = 0
  return reply
end
for _, entry in ipairs(redis.call('XRANGE', log, whole(after + 1), '+', 'COUNT', ARGV[3])) do
  local named = { s = '', v = '', m = '' }
  for i = 1, #entry[2], 2 do named[entry[2][i]] = entry[2][i + 1] end
  reply[#reply + 1] = string.match(entry[1], '^(%d+)')
  for _, name in ipairs({ 'v', 's', 'm' }) do reply[#reply + 1] = named[name] end
end
return reply
