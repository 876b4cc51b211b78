--[[ Removes a dead letter.
  KEYS[1]  dead letters of the group
  ARGV[1]  dead letter
  Returns {1} | {0} when there is none ]]
return { redis.call('XDEL', KEYS[1], ARGV[1]) }
