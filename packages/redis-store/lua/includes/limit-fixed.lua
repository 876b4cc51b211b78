-- A number of calls per period. State: when the period begins, when it was written, when it expires, how much was admitted in it,
-- and the largest limit since nothing counted last.
--
-- A period of `fixed` begins with the first admission after the last one; those of `calendar` begin at the edges that came
-- with the rule, because Redis knows no time zones. A reservation opens the next period ahead of time.
local function fixed_algorithm(limit, window, edges)
  local layout = '>ddddd'
  local self = { capacity = limit }
  -- Of the key: the present period, or one ahead that was reserved in; absent when nothing counts.
  local key, start, count, expires, most

  -- Where the period of a time begins; nil for what is long over.
  local function start_of(at)
    if not edges then return at end
    local found
    for i = 1, #edges do
      if edges[i] <= at then found = edges[i] end
    end
    return found
  end

  local function end_of(from)
    if not edges then return from + window end
    for i = 1, #edges do
      if edges[i] > from then return edges[i] end
    end
    -- Beyond what came with the rule: no reservation reaches that far.
    return from + edges[#edges] - edges[#edges - 1]
  end

  local function save()
    local ends = end_of(start)
    if ends > expires then
      expires = ends
      call('SET', key, pack(layout, start, now, expires, count, most), 'PX', life_of(ends - now))
    else
      call('SETRANGE', key, '0', pack(layout, start, now, expires, count, most))
    end
  end

  function self.read(at_key)
    key, start, expires, most = at_key, nil, 0, limit
    local bytes = call('GET', key)
    if not bytes then return end
    if #bytes ~= 40 then spoilt() end
    local begun, written, admitted, largest
    begun, written, expires, admitted, largest = unpacked(layout, bytes)
    -- The server's clock was set back: what was admitted before now counts now.
    local by = max(0, written - now)
    begun = start_of(max(0, begun - by))
    if edges and by > 0 then begun = max(begun or 0, start_of(now)) end
    if not begun or end_of(begun) <= now then return end
    start, count, most = begun, admitted, max(largest, limit)
    if by > 0 then save() end
  end

  function self.earliest(cost)
    if not start then return now end
    if count + cost > limit then return end_of(start) end
    return start > now and start or now
  end

  function self.take(cost, at)
    if start and at < end_of(start) then
      count = count + cost
    else
      start, count = start_of(at), cost
    end
    save()
  end

  function self.penalize(cost)
    if not start then start, count = start_of(now), 0 end
    count = max(count, math.min(limit, count + cost))
    save()
  end

  function self.standing()
    if not start then return limit, 0 end
    -- When the next period is open already, this one is used up.
    local left = start > now and 0 or max(0, limit - count)
    return left, end_of(start) - now
  end

  function self.refund(cost, at)
    if not start or at < start or at >= end_of(start) or count < cost then return false end
    count = count - cost
    -- A period ahead in which nothing is reserved any more is closed again: it was opened because the one before was full.
    if count == 0 and start > now then
      start, count = edges and start_of(start - 1) or start - window, most
    end
    save()
    return true
  end

  function self.reward(points)
    if not start then return 0 end
    local given = math.min(points, count)
    count = count - given
    save()
    return given
  end

  return self
end
