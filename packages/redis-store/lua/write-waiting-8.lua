--[[ Says what waits under some keys.
  KEYS[1]    state: last version, fence, holder
  KEYS[2]    items: by key, where its writes are
  KEYS[3]    values: by place and key
  KEYS[4]    when each key is due
  KEYS[5]    version of the oldest write of each key
  KEYS[6]    dead letters, by id
  KEYS[7]    when each was buried
  KEYS[8]    by key, the dead letter that no newer write has outdated
  ARGV[1]    now, us, for tests
  ARGV[2..]  keys
  Returns for each: {} where nothing waits | {v | d | s for several, version of the last, version of the first, bytes} ]]
--- @include "now"
--- @include "writes"
local reply = {}
for i = 2, #ARGV do
  local key = ARGV[i]
  local item = item_of(key)
  local kind, version, bytes
  if item then kind, version, bytes = part_at(item.last, key) end
  if not kind then
    reply[#reply + 1] = {}
  elseif kind == 'm' then
    local _, since = part_at(item.first, key)
    reply[#reply + 1] = { 's', version, since or version, '' }
  else
    reply[#reply + 1] = { kind, version, version, bytes }
  end
end
return reply
