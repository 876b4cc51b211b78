--[[ Forgets consumers of a group that have nothing pending. What one has pending would be lost with it.
  KEYS[1]  stream
  ARGV[1]  group
  ARGV[2]  the consumer; empty for all
  ARGV[3]  for how long they must have been silent, ms
  Returns {how many} ]]
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if consumers.err then return { 0 } end
local forgotten = 0
for _, fields in ipairs(consumers) do
  local consumer = {}
  for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
  local is_meant = ARGV[2] == '' or ARGV[2] == consumer.name
  if is_meant and consumer.pending == 0 and consumer.idle >= tonumber(ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    forgotten = forgotten + 1
  end
end
return { forgotten }
