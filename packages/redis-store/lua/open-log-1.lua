--[[ Creates a partition's log if it is absent.
  KEYS[1]  partition log
  Returns seq ]]
--- @include "now"
--- @include "mint"
--- @include "log"
return head_of(KEYS[1], now_us())
