--[[ Forgets all counts of a key, and tells all nodes.
  KEYS[1..]  the states of the policies, and the block
  ARGV[1]    channel
  ARGV[2]    message
  Returns how many of the keys existed ]]
local count = 0
for i = 1, #KEYS do count = count + redis.call('UNLINK', KEYS[i]) end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return count
