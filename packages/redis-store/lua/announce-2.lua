--[[ Announces the changes that wait for it, in one message.
  KEYS[1]  heads of all partitions
  KEYS[2]  what waits to be announced
  ARGV[1]  channel
  Returns 1 announced | 0 nothing waited ]]
--- @include "now"
--- @include "announce"
heads, owed = KEYS[1], KEYS[2]
local us = now_us()
is_gathering(us)
if is_owed ~= 1 then return 0 end
local is_announced = publish_all(ARGV[1], nil, us)
keep_paid()
return is_announced
