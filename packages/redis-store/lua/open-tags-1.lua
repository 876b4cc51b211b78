--[[ Creates the tag clock if it is absent.
  KEYS[1]  tag clock
  Returns {version, floor} ]]
--- @include "now"
--- @include "mint"
--- @include "tags"
local version, floor = open_tags(KEYS[1], now_us())
return { version, floor }
