--[[ Whether marks of messages stand.
  KEYS[1..]  the mark of each message
  Returns for each of them 1 | 0 ]]
local reply = {}
for i, key in ipairs(KEYS) do reply[i] = redis.call('EXISTS', key) end
return reply
