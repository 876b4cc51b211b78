-- A number of calls at the same time: permits in a sorted set by the end of their terms. '!written' has a score below 0.
local function concurrency_algorithm(limit, term)
  local self = { capacity = limit }
  local key, live

  local function last_end()
    local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
    return last[2] and tonumber(last[2]) or 0
  end

  local function save()
    call('ZADD', key, whole(-now), '!written')
    call('PEXPIRE', key, life_of(last_end() - now))
  end

  -- The server's clock was set back; see exact.
  local function move_back(by)
    local members = call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #members, 2 do
      local ends = tonumber(members[i + 1])
      if ends > 0 then call('ZADD', key, whole(max(1, ends - by)), members[i]) end
    end
    save()
  end

  local function drop_ended()
    call('ZREMRANGEBYSCORE', key, '(0', whole(now))
  end

  local function hold(cost, permit, ends)
    for i = 1, cost do call('ZADD', key, whole(ends), permit .. ':' .. i) end
    save()
  end

  -- False when one of the permits has ended.
  local function is_held(cost, permit)
    for i = 1, cost do
      local ends = call('ZSCORE', key, permit .. ':' .. i)
      if not ends or tonumber(ends) <= now then return false end
    end
    return true
  end

  function self.read(at_key)
    key, live = at_key, 0
    local written = call('ZSCORE', key, '!written')
    if not written then return end
    local by = -tonumber(written) - now
    if by > 0 then move_back(by) end
    live = call('ZCOUNT', key, '(' .. whole(now), '+inf')
  end

  -- When enough terms will have ended, if none is given back or renewed.
  function self.earliest(cost)
    local excess = live + cost - limit
    if excess <= 0 then return now end
    local found = call('ZRANGEBYSCORE', key, '(' .. whole(now), '+inf',
      'WITHSCORES', 'LIMIT', excess - 1, 1)
    return tonumber(found[2])
  end

  function self.take(cost, at, permit)
    drop_ended()
    hold(cost, permit, at + term)
    live = live + cost
  end

  -- A refused call holds nothing.
  function self.penalize() end

  function self.standing()
    return max(0, limit - live), live > 0 and last_end() - now or 0
  end

  function self.renew(cost, permit)
    if not is_held(cost, permit) then return false end
    hold(cost, permit, now + term)
    return true
  end

  function self.refund(cost, _, permit)
    if not is_held(cost, permit) then return false end
    for i = 1, cost do call('ZREM', key, permit .. ':' .. i) end
    drop_ended()
    if last_end() <= now then call('UNLINK', key) end
    return true
  end

  return self
end
