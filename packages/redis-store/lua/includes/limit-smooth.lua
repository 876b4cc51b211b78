-- A bucket of `burst` permits that gets one back every interval (GCRA): one number, the time when the bucket is full again.
-- In a window it lets in `burst` + window / interval - 1 at most.
--
-- Under another interval the same time stands for another number of calls, so the state says under which it was written.
-- After a change the bucket keeps its debt in calls, as far as it can hold it; and until all that the old bucket let in has
-- left the window, that much (the most it can have been) counts beside what the new one lets in, turns after that time too:
-- the limit may be changed again before they come.
--
-- State: when the bucket is full, when written, when it expires, time of the latest admission and its cost if it can be
-- taken back, interval and burst, and what counts from before a change, and until when.
local function smooth_algorithm(interval, burst, window)
  local layout, width = '>ddddddddd', 72
  local most = burst + math.ceil(window / interval) - 1
  local self = { capacity = burst }
  local key, full, expires, last, last_cost, carried, carried_until
  local in_interval, in_burst

  local function save()
    local bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
    local ends = max(full, last + window, carried_until)
    if ends > expires then
      expires = now + with_slack(ends - now)
      bytes = pack(layout, full, now, expires, last, last_cost, in_interval, in_burst, carried, carried_until)
      call('SET', key, bytes, 'PX', life_of(expires - now))
    else
      call('SETRANGE', key, '0', bytes)
    end
  end

  local function adopt()
    if carried_until <= now then
      carried = 0
      -- A call that is still in the window came when the bucket had at least its present debt less than a window ago.
      if last + window > now then carried = max(0, math.ceil((full - now + window) / in_interval) - 1) end
    end
    carried_until = last + window
    local from = max(now, last)
    local debt = math.ceil(max(0, full - from) * interval / in_interval)
    full = from + math.min(debt, burst * interval)
    in_interval, in_burst = interval, burst
  end

  function self.read(at_key)
    key, full, expires, last, last_cost, carried, carried_until = at_key, 0, 0, 0, 0, 0, 0
    in_interval, in_burst = interval, burst
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= width then spoilt() end
    local written
    full, written, expires, last, last_cost, in_interval, in_burst, carried, carried_until = unpacked(layout, bytes)
    local by, is_same = max(0, written - now), in_interval == interval and in_burst == burst
    if by == 0 and is_same then
      if carried_until <= now then carried, carried_until = 0, 0 end
      return
    end
    -- The server's clock was set back; see exact.
    full, last, carried_until = max(0, full - by), max(0, last - by), max(0, carried_until - by)
    if not is_same then adopt() end
    if carried_until <= now then carried, carried_until = 0, 0 end
    save()
  end

  function self.earliest(cost)
    local at = full + (cost - burst) * interval
    if at < now then at = now end
    if at < carried_until and carried + cost > most then return carried_until end
    return at
  end

  function self.take(cost, at)
    full = (full > at and full or at) + cost * interval
    if carried_until > now then carried = carried + cost end
    last, last_cost = max(last, at), at < last and 0 or cost
    save()
  end

  -- The bucket is emptied, but not below zero: otherwise a caller that keeps trying would wait longer than for a full refill.
  function self.penalize(cost)
    local charged = max(full, now) + cost * interval
    full = max(full, math.min(charged, now + burst * interval))
    last_cost = 0
    save()
  end

  function self.standing()
    local missing = full > now and full - now or 0
    local left = max(0, floor(burst - missing / interval))
    if carried_until <= now then return left, missing end
    return max(0, math.min(left, most - carried)), max(missing, carried_until - now)
  end

  -- After a later admission it is unknown which part of the debt belongs to which call. Turns ahead follow each other without a pause,
  -- so the last one is known by its time; when it is given back, the one before it becomes the last.
  function self.refund(cost, at)
    local is_last_turn = at > now and at == full - burst * interval
    if full <= now or not (is_last_turn or last == at and last_cost == cost) then return false end
    carried = max(0, carried - cost)
    full, last_cost = full - cost * interval, 0
    last = math.min(last, max(now, full - burst * interval, carried_until))
    save()
    return true
  end

  function self.reward(points)
    if full <= now then return 0 end
    local given = math.min(points, math.ceil((full - now) / interval))
    full, last_cost, carried = max(now, full - given * interval), 0, max(0, carried - given)
    save()
    return given
  end

  return self
end
