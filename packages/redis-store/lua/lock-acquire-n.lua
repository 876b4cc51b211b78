--[[ Takes locks, or places in their queues, each independently of the others.
  KEYS[1..]  for each lock: the lock, its queue, its waiters
  ARGV[1]    inbox channel
  ARGV[2]    now, us, for tests
  ARGV[3]    term, ms
  ARGV[4]    permits
  ARGV[5]    heartbeat, ms; 0 not to wait
  ARGV[6..]  for each lock: mode (w, r, p) and owner; before that "term,permits,heartbeat," if these differ from
             the arguments above
  Returns doubles, packed, three for each lock: 1, fence, 0 granted | 0, ms to ask again in, place in the queue from 0, or -1
  held | 2, 0, 0 failed; then a line of text for each that failed ]]
--- @include "now"
--- @include "clock"
--- @include "lock"
--- @include "text-of"
local inbox = ARGV[1]
local now = clock_us(ARGV[2])

local function acquire(lock, queue, waiters, member, term, permits, heartbeat)
  local is_writer = mode_of(member) == 'w'
  local last, held, first, first_ends = open_lock(lock, now)

  -- A reply was lost, or the request came twice. If this owner holds it alone, the last fence is its own.
  local held_until = held > 0 and redis.call('ZSCORE', lock, member)
  if held_until then
    local fence = is_writer and last or next_fence(last, now)
    hold(lock, member, term, fence, now, tonumber(held_until))
    return 1, fence, 0
  end

  local head, head_ends = nil, nil
  local is_queued = redis.call('EXISTS', queue) == 1
  if is_queued then head, head_ends = head_of(queue, waiters, now) end

  if admits(held, first, member, permits) and (not head or head == member) then
    local fence = next_fence(last, now)
    hold(lock, member, term, fence, now)
    if is_queued then
      redis.call('ZREM', queue, member)
      redis.call('HDEL', waiters, member)
      -- The next one may fit beside this one.
      if not is_writer then wake_head(queue, waiters, now) end
    end
    return 1, fence, 0
  end

  -- When something changes without a call: a term ends, or the head of the queue is considered dead.
  local ask_at = first_ends
  if head and head ~= member and (not ask_at or head_ends < ask_at) then ask_at = head_ends end
  if heartbeat == 0 then return 0, ask_at and ms_until(ask_at, now) or 1, -1 end

  -- The sign of life is written before the place: if that fails, no waiter stays in the queue for ever.
  redis.call('HSET', waiters, member, sign_of_life(now + 2000 * heartbeat, heartbeat, inbox))
  if not redis.call('ZSCORE', queue, member) then
    local newest = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    redis.call('ZADD', queue, whole(math.max(now, tonumber(newest or '0') + 1)), member)
  end
  redis.call('PEXPIRE', queue, whole(4 * heartbeat))
  redis.call('PEXPIRE', waiters, whole(4 * heartbeat))
  local ask_in = ask_at and math.min(ms_until(ask_at, now), heartbeat) or heartbeat
  return 0, ask_in, redis.call('ZRANK', queue, member)
end

local usual_term, usual_permits, usual_heartbeat = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local reply, errors = {}, {}
for i = 1, #KEYS / 3 do
  local k = 3 * i
  local term, permits, heartbeat, member = string.match(ARGV[i + 5], '^(%d+),(%d+),(%d+),(.*)$')
  -- A fault of one lock does not concern the others.
  local is_answered, kind, detail, place = pcall(acquire, KEYS[k - 2], KEYS[k - 1], KEYS[k], member or ARGV[i + 5],
    tonumber(term) or usual_term, tonumber(permits) or usual_permits, tonumber(heartbeat) or usual_heartbeat)
  if not is_answered then
    errors[#errors + 1] = text_of(kind)
    kind, detail, place = 2, 0, 0
  end
  reply[i] = struct.pack('>ddd', kind, detail, place)
end
return table.concat(reply) .. table.concat(errors, '\n')
