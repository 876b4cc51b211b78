-- A lock: a sorted set of holders by the end of their leases, and, while somebody waits, a sorted set of waiters by ticket
-- and a hash of each waiter's sign of life. Members begin with the mode: w, r or p. All times are microseconds.
local DEAD_AT_ONCE = 1000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

-- Makes sure the key lives at least this long; never shortens.
local function outlive(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- Forgets holders whose lease has ended. Returns how many there are, and the first one to end with its end.
local function holders_now(holders, now)
  local first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
  if not first[1] then return 0 end
  if tonumber(first[2]) <= now then
    redis.call('ZREMRANGEBYSCORE', holders, '-inf', whole(now))
    first = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
    if not first[1] then return 0 end
  end
  return redis.call('ZCARD', holders), first[1], tonumber(first[2])
end

-- Holders are all of one mode, so the first one speaks for them.
local function admits(count, first, mode, permits)
  if count == 0 then return true end
  if mode == 'w' or string.sub(first, 1, 1) ~= mode then return false end
  return mode == 'r' or count < permits
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    if sign then
      local ends, inbox = string.match(sign, '^(%d+)|(.*)$')
      if ends and tonumber(ends) > now then return head, tonumber(ends), inbox end
    end
    redis.call('ZREM', queue, head)
    redis.call('HDEL', waiters, head)
  end
  return nil
end

local function wake_head(queue, waiters, now)
  local head, _, inbox = head_of(queue, waiters, now)
  if head and inbox ~= '' then redis.call('PUBLISH', inbox, head) end
end
