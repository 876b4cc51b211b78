-- A lock: a sorted set of holders by the end of their terms, with the last fence as a reserved member of a score below
-- zero, so that losing it is all or nothing; and, while somebody waits, a sorted set of waiters by ticket and a hash of
-- each waiter's sign of life. Members begin with the mode: w, r or p; P, a number and a comma for several permits. All times
-- are microseconds.
local FENCE = '!fence'
-- There while weights have to be added up, because somebody may hold several permits.
local WEIGHTED = '!weighted'
local DEAD_AT_ONCE = 1000
-- A lock is remembered until the clock has passed its last term, and its last fence, by an hour. Fences follow the clock,
-- so one that is forgotten by then comes again only if the clock is set back by more than that.
local REMEMBERED_MS = 3600000

local function ms_until(at, now)
  return math.max(1, math.ceil((at - now) / 1000))
end

local function mode_of(member)
  return string.lower(string.sub(member, 1, 1))
end

local function weight_of(member)
  return tonumber(string.match(member, '^P(%d+),')) or 1
end

-- How much is held, of `head` as `open_lock` reads it.
local function held_in(lock, is_weighted)
  if not is_weighted then return redis.call('ZCARD', lock) - 1 end
  local held = 0
  for _, member in ipairs(redis.call('ZRANGE', lock, 2, -1)) do held = held + weight_of(member) end
  return held
end

-- Forgets holders whose term has ended. Returns the last fence, how much is held, and the first one to end with its end.
local function open_lock(lock, now)
  local head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  if not head[1] then return 0, 0 end
  local is_weighted = head[3] == WEIGHTED
  local at = is_weighted and 5 or 3
  if head[at] and tonumber(head[at + 1]) <= now then
    redis.call('ZREMRANGEBYSCORE', lock, 0, whole(now))
    head = redis.call('ZRANGE', lock, 0, 2, 'WITHSCORES')
  end
  local last = -tonumber(head[2])
  if head[at] then return last, held_in(lock, is_weighted), head[at], tonumber(head[at + 1]) end
  if is_weighted then redis.call('ZREM', lock, WEIGHTED) end
  return last, 0
end

-- The next fence: above the last one, and not below the clock, so that a lock whose memory was lost repeats none.
local function next_fence(last, now)
  return math.max(last + 1, now)
end

-- Sets the expiry of the lock to the time up to which its content matters. `may_shorten`: nobody else holds it.
local function remember(lock, ends, fence, now, may_shorten)
  local life = ms_until(math.max(ends, fence), now) + REMEMBERED_MS
  if may_shorten or redis.call('PTTL', lock) < life then redis.call('PEXPIRE', lock, whole(life)) end
end

-- Writes a holder with the end of its term, and the last fence. The term of a holder never becomes shorter.
local function hold(lock, member, term, fence, now, held_until)
  local ends = math.max(now + term * 1000, held_until or 0)
  redis.call('ZADD', lock, -fence, FENCE, ends, member)
  if weight_of(member) > 1 then redis.call('ZADD', lock, -1, WEIGHTED) end
  remember(lock, ends, fence, now, mode_of(member) == 'w')
end

-- All holders have the same mode, so the first one shows it.
local function admits(held, first, member, permits)
  if held == 0 then return true end
  local mode = mode_of(member)
  if mode == 'w' or mode_of(first) ~= mode then return false end
  return mode == 'r' or held + weight_of(member) <= permits
end

-- A waiter's sign of life: the end of its time, its heartbeat in ms, and where to wake it.
local function sign_of_life(ends, heartbeat, inbox)
  return whole(ends) .. '|' .. whole(heartbeat) .. '|' .. inbox
end

-- Drops waiters at the head that gave no sign of life in time. Returns the first live one, the end of its time, its inbox.
local function head_of(queue, waiters, now)
  for _ = 1, DEAD_AT_ONCE do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return nil end
    local sign = redis.call('HGET', waiters, head)
    local ends, heartbeat, inbox = string.match(sign or '', '^(%d+)|(%d+)|(.*)$')
    ends, heartbeat = tonumber(ends), tonumber(heartbeat)
    if ends and ends > now then
      local latest = now + 2000 * heartbeat
      -- The clock was set back. A live waiter will show itself again; a dead one must not stay here until that time.
      if ends > latest then
        ends = latest
        redis.call('HSET', waiters, head, sign_of_life(ends, heartbeat, inbox))
      end
      return head, ends, inbox
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
