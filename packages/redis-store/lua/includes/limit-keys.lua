-- What the algorithms have in common. Each is a function that makes an object for one policy; `read` moves it to a key,
-- and the rest is about that key. All numbers are kept as doubles.
--
-- There may be hundreds of thousands of calls per second, and their cost is Redis' commands and the conversion of numbers to text.
-- So commands get texts where possible. A state is overwritten in place, which does not change its expiry, and it expires a little
-- later than necessary, so that not every call has to move the expiry.
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

-- Lua takes some thousands of results at once and then fails, so numbers are packed and unpacked this many at a time.
local at_a_time = 256

-- The first `length` numbers of a list, one after the other.
local function packed(numbers, length)
  local parts = {}
  for from = 1, length, at_a_time do
    local to = math.min(length, from + at_a_time - 1)
    parts[#parts + 1] = pack('>' .. string.rep('d', to - from + 1), unpack(numbers, from, to))
  end
  return table.concat(parts)
end

-- The numbers that begin at the `from`-th byte.
local function numbers_in(bytes, from)
  local numbers, count = {}, floor((#bytes - from + 1) / 8)
  for done = 0, count - 1, at_a_time do
    local some = math.min(at_a_time, count - done)
    local part = { unpacked('>' .. string.rep('d', some), bytes, from + 8 * done) }
    for i = 1, some do numbers[done + i] = part[i] end
  end
  return numbers
end

-- For a state that these scripts cannot have written: the call fails, and resetting the key repairs it.
local function spoilt()
  error('SPOILT the key of a limit holds something else')
end
