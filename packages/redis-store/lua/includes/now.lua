-- Server time. TIME's microseconds are not zero-padded, so the parts are added as numbers and never concatenated.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua's own conversion to text writes 1.7e+15 for a number of 16 digits. Replies need none: Redis makes integers of them.
-- Nor do arguments of commands, which Redis writes with 17 digits.
local function whole(number)
  return string.format('%.0f', number)
end
