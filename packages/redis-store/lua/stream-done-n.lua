--[[ Acknowledges an entry: it was handled.
  KEYS[1]  stream
  KEYS[2]  when entries are due again, ms
  KEYS[3..] the mark of its message, or none
  ARGV[1]  group
  ARGV[2]  entry
  ARGV[3]  for how long the mark stands, ms
  Returns {1} | {0} when it was not pending ]]
redis.call('ZREM', KEYS[2], ARGV[2])
if KEYS[3] then redis.call('SET', KEYS[3], '', 'PX', ARGV[3]) end
return { redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) }
