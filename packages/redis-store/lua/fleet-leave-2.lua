--[[ Forgets a node.
  KEYS[1]  when the heartbeat of each node ends, ms
  KEYS[2]  heartbeats
  ARGV[1]  node
  Returns 1 ]]
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
