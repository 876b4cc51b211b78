--[[ Extends a lease that is still held.
  KEYS[1]  entry
  ARGV[1]  token
  ARGV[2]  lease, ms
  Returns 1 extended | 0 lost ]]
--- @include "now"
--- @include "header"
local key, lease = KEYS[1], tonumber(ARGV[2])
local head = read_header(key)
if not head or head.token ~= tonumber(ARGV[1]) then return 0 end
set_lease(key, math.floor(now_us() / 1000) + lease, head.token)
live_at_least(key, lease + SLACK)
return 1
