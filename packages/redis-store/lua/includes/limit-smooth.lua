-- A bucket of `burst` permits that gets one back every interval (GCRA): one number, the time when the bucket is full again.
--
-- State: that time, when written, when it expires, and the time and cost of the latest admission, which alone can be taken
-- back.
local function smooth_algorithm(_, interval, burst)
  local layout = '>ddddd'
  local self = { capacity = burst }
  local key, full, expires, last, last_cost

  local function save()
    if full > expires then
      expires = now + with_slack(full - now)
      local bytes = pack(layout, full, now, expires, last, last_cost)
      call('SET', key, bytes, 'PX', life_of(expires - now))
    else
      call('SETRANGE', key, '0', pack(layout, full, now, expires, last, last_cost))
    end
  end

  function self.read(at_key)
    key, full, expires, last, last_cost = at_key, 0, 0, 0, 0
    local bytes = call('GET', key)
    if not bytes then return end
    local written
    full, written, expires, last, last_cost = unpacked(layout, bytes)
    if written <= now then return end
    -- The server's clock was set back; see exact.
    full, last = max(0, full - written + now), max(0, last - written + now)
    save()
  end

  function self.earliest(cost)
    local at = full + (cost - burst) * interval
    return at > now and at or now
  end

  function self.take(cost, at)
    full = (full > at and full or at) + cost * interval
    last, last_cost = at, cost
    save()
  end

  -- The bucket is emptied, and not more: else who keeps trying would stay out for longer than a full refill.
  function self.penalize(cost)
    local charged = max(full, now) + cost * interval
    full = max(full, math.min(charged, now + burst * interval))
    last, last_cost = 0, 0
    save()
  end

  function self.standing()
    local missing = full > now and full - now or 0
    return max(0, floor(burst - missing / interval)), missing
  end

  -- After a later admission nobody can say what of the debt is whose.
  function self.refund(cost, at)
    if full <= now or last ~= at or last_cost ~= cost then return false end
    full, last, last_cost = full - cost * interval, 0, 0
    save()
    return true
  end

  return self
end
