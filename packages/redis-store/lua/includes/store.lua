-- Larger values are not copied only to stamp them.
local SMALL = 4096

-- Writes an entry, with the instant of its creation as the header has it.
local function store(key, bytes, life, created)
  if #bytes < SMALL then
    redis.call('SET', key, string.sub(bytes, 1, 18) .. created .. string.sub(bytes, 25), 'PX', life)
  else
    redis.call('SET', key, bytes, 'PX', life)
    redis.call('SETRANGE', key, 18, created)
  end
end
