--[[ Blocks a key for a time, or ends a block; and tells all nodes.
  KEYS[1]  the block
  ARGV[1]  now, us, for tests
  ARGV[2]  how long, us; 0 to end a block
  ARGV[3]  channel
  ARGV[4]  message
  Returns 1 ]]
--- @include "now"
--- @include "clock"
local CLOCK = ARGV[1]
local now = clock_us(CLOCK)
--- @include "limit-keys"
--- @include "limit-blocks"
local length = tonumber(ARGV[2])
if length > 0 then block_until(KEYS[1], now + length, 1) else call('UNLINK', KEYS[1]) end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
