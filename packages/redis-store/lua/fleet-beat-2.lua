--[[ Keeps a node's heartbeat, and forgets those whose time is over.
  KEYS[1]  when the heartbeat of each node ends, ms
  KEYS[2]  heartbeats
  ARGV[1]  now, us, for tests
  ARGV[2]  node
  ARGV[3]  how long it is kept, ms
  ARGV[4]  no heartbeat is kept for longer, ms
  ARGV[5]  the most nodes
  ARGV[6]  what the node says
  Returns 1 kept | 0 not kept, because as many others are ]]
--- @include "now"
--- @include "clock"
local ends, heartbeats = KEYS[1], KEYS[2]
local now = math.floor(clock_us(ARGV[1]) / 1000)
local node, lives = ARGV[2], tonumber(ARGV[3])

local function forget(from, to)
  local over = redis.call('ZRANGEBYSCORE', ends, from, to)
  if #over == 0 then return end
  redis.call('ZREMRANGEBYSCORE', ends, from, to)
  redis.call('HDEL', heartbeats, unpack(over))
end
forget('-inf', whole(now))
-- An end that is far away was written before the clock was set back. Twice, because clocks go back a little all the time.
forget('(' .. whole(now + 2 * tonumber(ARGV[4])), '+inf')

local count = redis.call('ZCARD', ends)
if count >= tonumber(ARGV[5]) and not redis.call('ZSCORE', ends, node) then return 0 end
-- Where the ends were lost and the rest was not, nothing would ever forget it.
if count == 0 then redis.call('UNLINK', heartbeats) end
redis.call('ZADD', ends, whole(now + lives), node)
redis.call('HSET', heartbeats, node, whole(lives) .. ':' .. ARGV[6])
local left = tonumber(redis.call('ZRANGE', ends, -1, -1, 'WITHSCORES')[2]) - now
redis.call('PEXPIRE', ends, whole(left))
redis.call('PEXPIRE', heartbeats, whole(left))
return 1
