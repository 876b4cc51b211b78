-- A full server refuses a script's first write if that takes memory, but lets a script finish that has begun to write. An
-- invalidation must get through, so it begins with a write that takes none.
local function begin_even_when_full(set)
  redis.call('ZREM', set, '')
end
