-- A lock: a sorted set of holders by the end of their leases, with the last fence as a reserved member of a score below
-- zero, so that losing it is all or nothing; and, while somebody waits, a sorted set of waiters by ticket and a hash of
-- each waiter's sign of life. Members begin with the mode: w, r or p. All times are microseconds.
local FENCE = '!fence'
local DEAD_AT_ONCE = 1000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

-- Forgets holders whose lease has ended. Returns the last fence, how many hold, and the first one to end with its end.
local function open_lock(lock, now)
  local head = redis.call('ZRANGE', lock, 0, 1, 'WITHSCORES')
  if not head[1] then return 0, 0 end
  if head[3] and tonumber(head[4]) <= now then
    redis.call('ZREMRANGEBYSCORE', lock, 0, whole(now))
    head = redis.call('ZRANGE', lock, 0, 1, 'WITHSCORES')
  end
  if not head[3] then return -tonumber(head[2]), 0 end
  return -tonumber(head[2]), redis.call('ZCARD', lock) - 1, head[3], tonumber(head[4])
end

-- The next fence: above the last one, and not below the clock, so that a lock whose memory was lost repeats none.
local function next_fence(last, now)
  return math.max(last + 1, now)
end

-- Writes a holder with the end of its lease, and the last fence.
local function hold(lock, member, lease, fence, life, now)
  redis.call('ZADD', lock, -fence, FENCE, now + lease * 1000, member)
  -- The fence outlives the lease by far; a lease is a day at most.
  redis.call('PEXPIRE', lock, life)
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
