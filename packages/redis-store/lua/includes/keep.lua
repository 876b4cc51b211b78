-- Keeps a key until then, or for as long as it is kept already: another node may have been told to keep more periods, and what it has
-- been promised is not lost to this one.
local function keep_until(key, ends, now)
  local left = math.max(1, tonumber(ends) - now)
  if redis.call('PTTL', key) < left then redis.call('PEXPIRE', key, whole(left)) end
end
