--[[ Makes a group of a stream unless there is one.
  KEYS[1]  stream
  ARGV[1]  group
  ARGV[2]  the id after which it begins; $ for now
  Returns {1} when it was made | {0} ]]
--- @include "stream"
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[2], 'MKSTREAM')
if is_error(made, 'BUSYGROUP') then return { 0 } end
return made.err and made or { 1 }
