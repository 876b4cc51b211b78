-- What the algorithms have in common. Each is a function that makes an object for one policy; `read` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- Calls come by the hundred thousand, and what they cost are Redis' commands and numbers written as text. So commands get
-- texts where they can, and a state is overwritten in place, which leaves its expiry alone, and expires a little later than
-- it has to: then the expiry need not be moved with every call.
local call, pack, unpacked = redis.call, struct.pack, struct.unpack
local floor, max = math.floor, math.max

local function with_slack(us)
  return us + math.min(10000000, max(1000000, us / 8))
end

-- Under a test's clock real time must not take a state away.
local function life_of(us)
  local ms = max(1, math.ceil(us / 1000))
  if CLOCK ~= '' then ms = ms + 3600000 end
  return whole(ms)
end
