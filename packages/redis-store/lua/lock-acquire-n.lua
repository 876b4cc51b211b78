--[[ Takes locks, or places in their queues; each by itself.
  KEYS[1..] for each lock: the lock, its queue, its waiters
  ARGV[1] inbox channel   ARGV[2] how long a fence is remembered, ms   ARGV[3] now, us, for tests
  ARGV[4] lease, ms   ARGV[5] permits   ARGV[6] heartbeat, ms; 0 not to wait
  ARGV[7..] for each lock: mode (w, r, p) and owner, or where the three are others, "lease,permits,heartbeat," before that
  Returns doubles, packed, three for each lock: 1, fence, 0 granted | 0, ms to ask again in, place in the queue from 0, or -1
  held ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
local inbox, life = ARGV[1], ARGV[2]
local now = clock_us(ARGV[3])

local function acquire(lock, queue, waiters, member, lease, permits, heartbeat)
  local mode = string.sub(member, 1, 1)
  local last, count, first, first_ends = open_lock(lock, now)

  -- A reply got lost, or the request came twice. Holding alone, the last fence is this owner's own.
  if count > 0 and redis.call('ZSCORE', lock, member) then
    local fence = mode == 'w' and last or next_fence(last, now)
    hold(lock, member, lease, fence, life, now)
    return 1, fence, 0
  end

  local head, head_ends = nil, nil
  local is_queued = redis.call('EXISTS', queue) == 1
  if is_queued then head, head_ends = head_of(queue, waiters, now) end

  if admits(count, first, mode, permits) and (not head or head == member) then
    local fence = next_fence(last, now)
    hold(lock, member, lease, fence, life, now)
    if is_queued then
      redis.call('ZREM', queue, member)
      redis.call('HDEL', waiters, member)
      -- The next one may fit beside this one.
      if mode ~= 'w' then wake_head(queue, waiters, now) end
    end
    return 1, fence, 0
  end

  -- The next change that comes by itself: a lease ends, or the head is found dead.
  local ask_at = first_ends
  if head and head ~= member and (not ask_at or head_ends < ask_at) then ask_at = head_ends end
  if heartbeat == 0 then return 0, ask_at and ms_until(ask_at, now) or 1, -1 end

  if not redis.call('ZSCORE', queue, member) then
    local newest = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    redis.call('ZADD', queue, whole(math.max(now, tonumber(newest or '0') + 1)), member)
  end
  redis.call('HSET', waiters, member, whole(now + 2000 * heartbeat) .. '|' .. inbox)
  redis.call('PEXPIRE', queue, whole(4 * heartbeat))
  redis.call('PEXPIRE', waiters, whole(4 * heartbeat))
  local ask_in = ask_at and math.min(ms_until(ask_at, now), heartbeat) or heartbeat
  return 0, ask_in, redis.call('ZRANK', queue, member)
end

local usual_lease, usual_permits, usual_heartbeat = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local reply = {}
for i = 1, #KEYS / 3 do
  local k = 3 * i
  local lease, permits, heartbeat, member = string.match(ARGV[i + 6], '^(%d+),(%d+),(%d+),(.*)$')
  reply[i] = struct.pack('>ddd', acquire(KEYS[k - 2], KEYS[k - 1], KEYS[k], member or ARGV[i + 6],
    tonumber(lease) or usual_lease, tonumber(permits) or usual_permits, tonumber(heartbeat) or usual_heartbeat))
end
return table.concat(reply)
