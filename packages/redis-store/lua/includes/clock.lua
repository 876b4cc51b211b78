-- Server time in microseconds, or what a test says it is: `given` is empty in production.
local function clock_us(given)
  if given ~= '' then return tonumber(given) end
  return now_us()
end
