--[[ Says how a group of a stream stands.
  KEYS[1]  stream
  KEYS[2]  when entries are due again, ms
  KEYS[3]  dead letters of the group
  ARGV[1]  group
  Returns {entries, pending, due again, not delivered yet or -1, dead letters, consumers} ]]
local reply = { redis.call('XLEN', KEYS[1]), 0, redis.call('ZCARD', KEYS[2]), -1, redis.call('XLEN', KEYS[3]), 0 }
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then return reply end
for _, fields in ipairs(groups) do
  local group = {}
  for i = 1, #fields, 2 do group[fields[i]] = fields[i + 1] end
  if group.name == ARGV[1] then
    reply[2], reply[6] = group.pending, group.consumers
    -- Redis 6.2 does not know it, and later ones not after entries were removed.
    if group.lag then reply[4] = group.lag end
  end
end
return reply
