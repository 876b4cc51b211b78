-- Never more than the limit in any window: counts by slice of time, newest first.
--
-- A window of B slices touches at most B + 1 of them; all of those are counted, so what is let in never exceeds the limit,
-- and at least limit * B / (B + 1) get in. State: slice width, slices a window, when written, when it expires, number of
-- the newest slice, the sum of all counts, and the counts from the newest slice to the oldest that counted when written.
local function window_algorithm(limit, slice, slices)
  local current = floor(now / slice)
  local header, layout = 6, '>ddddddd'
  -- Nobody reserves as far ahead as this many slices.
  local furthest = current + 262144
  local self = { capacity = limit }
  -- Of the key: the newest slice and its count, absent when nothing counts, and what was admitted in the window that ends
  -- now. The counts of all slices are only looked at when a slice has passed.
  local key, bytes, expires, top, top_count, used, counts
  local is_given_back = false

  local function count_of(number)
    if number > top then return 0 end
    return counts[top - number + 1] or 0
  end

  -- The sum of all counts from slice number `oldest` on.
  local function sum_from(oldest)
    local sum = 0
    for i = 1, math.min(#counts, top - oldest + 1) do sum = sum + counts[i] end
    return sum
  end

  local function load_counts()
    if not counts then counts = numbers_in(bytes, header * 8 + 1) end
  end

  local function save_all()
    -- Counts of slices that are over may still be among them.
    local sum = sum_from(current - slices)
    expires = now + with_slack((top + slices + 1) * slice - now)
    local head = packed({ slice, slices, now, expires, top, sum }, header)
    call('SET', key, head .. packed(counts, #counts), 'PX', life_of(expires - now))
  end

  -- Makes a slice the newest one, and forgets those that do not count any more.
  local function open(number)
    load_counts()
    local kept = {}
    for i = number, current - slices, -1 do kept[#kept + 1] = top and count_of(i) or 0 end
    top, counts = number, kept
  end

  -- Slices of another width cannot be told apart any more: all that still counts is taken to be in one slice, the latest
  -- it can have been in.
  local function put_in_one(width, per_window)
    local present = floor(now / width)
    local sum = sum_from(present - per_window)
    local latest = now
    if top > present then latest = (top + 1) * width - 1 end
    top, counts = nil, {}
    if sum > 0 then top, counts = floor(latest / slice), { sum } end
  end

  -- What does not go on as it was written.
  local function repair(width, per_window, by)
    load_counts()
    -- The server's clock was set back; see exact.
    if by > 0 then top = top - floor(by / width) end
    if width ~= slice then put_in_one(width, per_window) end
    if not top then return call('UNLINK', key) end
    if by > 0 or width ~= slice then save_all() end
    used = sum_from(current - slices)
  end

  function self.read(at_key)
    key, top, used, counts = at_key, nil, 0, nil
    bytes = call('GET', key)
    if not bytes then
      counts = {}
      return
    end
    if #bytes < 8 * (header + 1) or #bytes % 8 ~= 0 then spoilt() end
    local width, per_window, written, sum
    width, per_window, written, expires, top, sum, top_count = unpacked(layout, bytes)
    local newest = top * width - max(0, written - now)
    if not (width > 0 and newest / slice < furthest) then spoilt() end
    local is_same = width == slice and per_window == slices and top == current
    if is_same and written <= now and floor(written / slice) == current then
      used = sum
    else
      repair(width, per_window, written - now)
    end
  end

  function self.earliest(cost)
    if used + cost <= limit and (not top or top <= current) then return now end
    load_counts()
    local at = max(current, top)
    local sum = sum_from(at - slices)
    -- Once all have left the sum is 0, and the cost is no more than the limit.
    local last = at + slices
    while sum + cost > limit and at <= last do
      sum = sum - count_of(at - slices)
      at = at + 1
    end
    return max(now, at * slice)
  end

  function self.take(cost, at)
    local number = floor(at / slice)
    used = used + cost
    if number == top and not counts then
      top_count = top_count + cost
      call('SETRANGE', key, '0', pack(layout, slice, slices, now, expires, top, used, top_count))
      return
    end
    open(number)
    counts[1] = counts[1] + cost
    save_all()
  end

  function self.penalize(cost)
    open(max(current, top or 0))
    counts[1] = math.min(limit, counts[1] + cost)
    used = sum_from(current - slices)
    save_all()
  end

  function self.standing()
    if not top then return limit, 0 end
    return max(0, limit - used), max(0, (top + slices + 1) * slice - now)
  end

  -- Written by `flush`, so that many can be given back at once.
  function self.refund(cost, at)
    local number = floor(at / slice)
    if not top or number < current - slices then return false end
    load_counts()
    if count_of(number) < cost then return false end
    local index = top - number + 1
    counts[index] = counts[index] - cost
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not top then return 0 end
    load_counts()
    local left = points
    for i = 1, math.min(#counts, top - current + slices + 1) do
      local given = math.min(left, counts[i])
      counts[i], left = counts[i] - given, left - given
    end
    is_given_back = left < points
    return points - left
  end

  function self.flush()
    if not is_given_back then return end
    while counts[1] == 0 do
      table.remove(counts, 1)
      top = top - 1
    end
    if #counts == 0 then call('UNLINK', key) else save_all() end
  end

  return self
end
