--[[ Takes a lock, or a place in its queue.
  KEYS[1] holders   KEYS[2] fence   KEYS[3] queue   KEYS[4] waiters
  ARGV[1] mode (w, r, p)   ARGV[2] owner   ARGV[3] lease, ms   ARGV[4] permits   ARGV[5] heartbeat, ms; 0 not to wait
  ARGV[6] inbox channel   ARGV[7] how long a fence is remembered, ms   ARGV[8] now, us, for tests
  Returns {1, fence} granted | {0, ms to ask again in, place in the queue from 0, or -1} held ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
local holders, fence_key, queue, waiters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local mode, member = ARGV[1], ARGV[1] .. ARGV[2]
local lease, permits, heartbeat = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now = clock_us(ARGV[8])

local function mint_fence()
  local fence = math.max(tonumber(redis.call('GET', fence_key) or '0') + 1, now)
  redis.call('SET', fence_key, whole(fence), 'PX', ARGV[7])
  return fence
end

local function hold()
  redis.call('ZADD', holders, whole(now + lease * 1000), member)
  outlive(holders, lease)
end

local count, first, first_ends = holders_now(holders, now)

-- A reply got lost, or the request came twice. Holding alone, the last fence is this owner's own.
if count > 0 and redis.call('ZSCORE', holders, member) then
  hold()
  local fence = mode == 'w' and tonumber(redis.call('GET', fence_key) or '0') or 0
  return { 1, fence > 0 and fence or mint_fence() }
end

local head, head_ends = nil, nil
local is_queued = redis.call('EXISTS', queue) == 1
if is_queued then head, head_ends = head_of(queue, waiters, now) end

if admits(count, first, mode, permits) and (not head or head == member) then
  local fence = mint_fence()
  hold()
  if is_queued then
    redis.call('ZREM', queue, member)
    redis.call('HDEL', waiters, member)
    -- The next one may fit beside this one.
    if mode ~= 'w' then wake_head(queue, waiters, now) end
  end
  return { 1, fence }
end

-- The next change that comes by itself: a lease ends, or the head is found dead.
local ask_at = first_ends
if head and head ~= member and (not ask_at or head_ends < ask_at) then ask_at = head_ends end
if heartbeat == 0 then return { 0, ask_at and ms_until(ask_at, now) or 1, -1 } end

if not redis.call('ZSCORE', queue, member) then
  local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', queue, whole(math.max(now, tonumber(last or '0') + 1)), member)
end
redis.call('HSET', waiters, member, whole(now + 2000 * heartbeat) .. '|' .. ARGV[6])
redis.call('PEXPIRE', queue, whole(4 * heartbeat))
redis.call('PEXPIRE', waiters, whole(4 * heartbeat))
local ask_in = ask_at and math.min(ms_until(ask_at, now), heartbeat) or heartbeat
return { 0, ask_in, redis.call('ZRANK', queue, member) }
