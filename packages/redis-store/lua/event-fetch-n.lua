--[[ Reads single events of streams of one partition, in order, until they are enough.
  KEYS[1..]  stream of each event
  ARGV[1]    about how many bytes at most
  ARGV[2..]  version of each event
  Returns for each event that was looked at: position, when, form, bytes; four times nothing for one that is not there ]]
--- @include "events"
local bytes = tonumber(ARGV[1])
local reply = {}
for i = 1, #KEYS do
  if bytes <= 0 then break end
  local id = ARGV[i + 1] .. '-0'
  local entry = redis.call('XRANGE', KEYS[i], id, id)[1]
  bytes = bytes - add_event(reply, entry and entry[2] or {})
end
return reply
