--[[ Reads the tag clock and the server's time; creates the clock if it is absent.
  KEYS[1] tag clock
  Returns {version, floor, now in ms} ]]
--- @include "now"
--- @include "tags"
local us = now_us()
local version, floor = tag_head(KEYS[1], us)
return { whole(version), whole(floor), whole(math.floor(us / 1000)) }
