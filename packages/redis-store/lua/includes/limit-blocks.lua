-- Blocks: until then a key admits nothing, even if its limit is not used up. State: when the block ends, the policy that it is for
-- (from 1 on), and how long it was meant to last.
local block_layout = '>I7I2I7'
-- Usually no key is blocked, and one command finds that out for all keys of a script.
local has_blocks = false

-- Looks whether any call's key is blocked; that of a block is the last of the `stride` keys of each call.
local function look_for_blocks(stride)
  local keys = {}
  for i = stride, #KEYS, stride do keys[#keys + 1] = KEYS[i] end
  for from = 1, #keys, at_a_time do
    local to = math.min(#keys, from + at_a_time - 1)
    if call('EXISTS', unpack(keys, from, to)) > 0 then has_blocks = true end
  end
end

local function block_until(key, ends, by)
  call('SET', key, pack(block_layout, ends, by, ends - now), 'PX', life_of(ends - now))
  has_blocks = true
end

-- Until when a key is blocked, and for which of `count` policies.
local function block_of(key, count)
  if not has_blocks then return 0, 0 end
  local bytes = call('GET', key)
  if not bytes then return 0, 0 end
  if #bytes ~= 16 then spoilt() end
  local ends, by, length = unpacked(block_layout, bytes)
  -- Where the server's clock was set back: a block is never longer than it was meant to be.
  return math.min(ends, now + length), max(1, math.min(by, count))
end
