--[[ Reads a part of a stream of events.
  KEYS[1]  stream
  ARGV[1]  from this version
  ARGV[2]  to this version
  ARGV[3]  1: from the last one backwards
  ARGV[4]  how many at most
  ARGV[5]  about how many bytes at most
  Returns for each event: version, position, when, form, bytes ]]
--- @include "now"
--- @include "events"
-- Few at a time: each may be large, and those that no longer fit are read in vain.
local AT_ONCE = 16
local from, to, is_backwards = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local left, bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local reply = {}
while left > 0 and bytes > 0 and from <= to do
  local many = math.min(left, AT_ONCE)
  local entries
  if is_backwards then entries = redis.call('XREVRANGE', KEYS[1], whole(to), whole(from), 'COUNT', many)
  else entries = redis.call('XRANGE', KEYS[1], whole(from), whole(to), 'COUNT', many) end
  for _, entry in ipairs(entries) do
    if bytes <= 0 then break end
    local version = string.match(entry[1], '^(%d+)')
    reply[#reply + 1] = version
    bytes = bytes - add_event(reply, entry[2])
    left = left - 1
    if is_backwards then to = tonumber(version) - 1 else from = tonumber(version) + 1 end
  end
  if #entries < many then break end
end
return reply
