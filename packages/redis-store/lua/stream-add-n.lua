--[[ Adds messages to a stream, in their order, and trims it.
  KEYS[1]    stream
  KEYS[2..]  what is remembered of the id of each message that has one
  ARGV[1]    for how long ids are remembered, ms
  ARGV[2]    how many entries are kept
  ARGV[3]    for about how long entries are kept, ms; empty for ever
  ARGV[4]    1: entries go even when a group is not done with them
  ARGV[5..]  for each message: the number of its key, or 0; its bytes
  Returns for each message its entry, and 1 when it was added | 0 when its id was known ]]
--- @include "now"
local stream, keep = KEYS[1], tonumber(ARGV[2])
local reply = {}
for i = 5, #ARGV, 2 do
  local key = tonumber(ARGV[i]) > 0 and KEYS[tonumber(ARGV[i])]
  local entry = key and redis.call('GET', key)
  local is_new = not entry and 1 or 0
  if not entry then
    entry = redis.call('XADD', stream, '*', 'm', ARGV[i + 1])
    if key then redis.call('SET', key, entry, 'PX', ARGV[1]) end
  end
  reply[#reply + 1] = entry
  reply[#reply + 1] = is_new
end

local function is_below(id, other)
  local time, sequence = string.match(id, '^(%d+)-(%d+)$')
  local other_time, other_sequence = string.match(other, '^(%d+)-(%d+)$')
  if time ~= other_time then return tonumber(time) < tonumber(other_time) end
  return tonumber(sequence) < tonumber(other_sequence)
end

-- The first entry that some group is not done with. Up to the last delivered one, all that is not pending is done.
local function first_unhandled()
  local lowest
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  -- The stream may be gone, although ids of its messages are remembered.
  if groups.err then return nil end
  for _, fields in ipairs(groups) do
    local group = {}
    for i = 1, #fields, 2 do group[fields[i]] = fields[i + 1] end
    local id = group['last-delivered-id']
    local waiting = redis.call('XPENDING', stream, group.name)
    if waiting[1] > 0 then id = waiting[2] end
    if not lowest or is_below(id, lowest) then lowest = id end
  end
  return lowest
end

local surplus = redis.call('XLEN', stream) - keep
local oldest = ARGV[3] ~= '' and whole(math.max(0, math.floor(now_us() / 1000) - tonumber(ARGV[3]))) .. '-0'
if surplus <= 0 and not oldest then return reply end
local lowest = ARGV[4] ~= '1' and first_unhandled()
-- Without a group, nobody is waited for.
if surplus > 0 then
  if lowest then redis.call('XTRIM', stream, 'MINID', '~', lowest, 'LIMIT', surplus)
  else redis.call('XTRIM', stream, 'MAXLEN', '~', keep) end
end
if oldest then
  if lowest and is_below(lowest, oldest) then oldest = lowest end
  redis.call('XTRIM', stream, 'MINID', '~', oldest)
end
return reply
