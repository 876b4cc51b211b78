--[[ Gives a lease back without a value.
  KEYS[1]  entry
  ARGV[1]  token
  ARGV[2]  channel
  ARGV[3]  full key
  Returns 1 released | 0 was not held ]]
--- @include "now"
--- @include "header"
--- @include "wake"
local key = KEYS[1]
local head = read_header(key)
if not head or head.token ~= tonumber(ARGV[1]) then return 0 end
if has(head.flags, EMPTY) and not has(head.flags, SETTLING) then
  redis.call('UNLINK', key)
else
  set_flags(key, bit.band(head.flags, bit.bnot(WAITED)))
  set_lease(key, 0, 0)
end
if has(head.flags, WAITED) then wake(ARGV[2], ARGV[3]) end
return 1
