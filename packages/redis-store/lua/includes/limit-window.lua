-- Never more than the limit in any window: counts by slice of time, newest first.
--
-- A window of B slices touches at most B + 1 of them; all of those are counted, so what is let in never exceeds the limit,
-- and at least limit * B / (B + 1) get in. State: slice width, slices a window, when written, when it expires, number of
-- the newest slice, the sum of all that counted when written, and the counts from the newest slice to the oldest one.
--
-- Where calls wait for their turn, slices lie ahead by the thousand. So a call reads the newest ones only, writes a count in
-- place or puts a new one before the others as they are, and takes the sum as it was written while no slice has passed.
local function window_algorithm(limit, slice, slices)
  local current = floor(now / slice)
  local oldest = current - slices
  local header, layout = 48, '>ddddddd'
  -- Nobody reserves as far ahead as this many slices.
  local furthest = current + 262144
  local self = { capacity = limit }
  -- Of the key: its bytes, the newest slice and its count (absent when nothing counts), what was admitted in the window that
  -- ends now, and the counts as far as they were read.
  local key, bytes, expires, top, top_count, used, counts
  local is_given_back = false

  local function length()
    return (#bytes - header) / 8
  end

  -- Reads the newest `most` counts, or all.
  local function load_counts(most)
    local count = math.min(most or length(), length())
    if #counts >= count then return end
    counts = numbers_in(string.sub(bytes, 1, header + 8 * count), header + 1)
    counts[1] = top_count
  end

  local function count_of(number)
    if number > top then return 0 end
    return counts[top - number + 1] or 0
  end

  -- The sum of all counts from a slice on that were read.
  local function sum_from(first)
    local sum = 0
    for i = 1, math.min(#counts, top - first + 1) do sum = sum + counts[i] end
    return sum
  end

  -- Writes it all anew; `older` are the bytes of the counts behind those that were read.
  local function save_all(older)
    expires = now + with_slack((top + slices + 1) * slice - now)
    bytes = pack('>dddddd', slice, slices, now, expires, top, used) .. packed(counts, #counts) .. older
    top_count = counts[1]
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- Adds to a slice that is not older than the newest one.
  local function add(number, cost)
    used = used + cost
    if number == top and (top + slices + 1) * slice <= expires then
      top_count = top_count + cost
      counts[1] = top_count
      call('SETRANGE', key, '0', pack(layout, slice, slices, now, expires, top, used, top_count))
      return
    end
    if number == top then
      load_counts()
      counts[1] = top_count + cost
      return save_all('')
    end
    -- What does not count any more is left behind.
    local kept = top and max(0, math.min(length(), top - oldest + 1)) or 0
    counts = { cost }
    local older = ''
    if kept > 0 then
      for _ = top + 1, number - 1 do counts[#counts + 1] = 0 end
      older = pack('>d', top_count) .. string.sub(bytes, header + 9, header + 8 * kept)
    end
    top = number
    save_all(older)
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
    used = sum_from(oldest)
    if by > 0 or width ~= slice then save_all('') end
  end

  function self.read(at_key)
    key, top, used, counts = at_key, nil, 0, {}
    bytes = call('GET', key)
    if not bytes then return end
    if #bytes < header + 8 or #bytes % 8 ~= 0 then spoilt() end
    local width, per_window, written, sum
    width, per_window, written, expires, top, sum, top_count = unpacked(layout, bytes)
    local newest = top * width - max(0, written - now)
    if not (width > 0 and newest / slice < furthest) then spoilt() end
    if width == slice and per_window == slices and written <= now and floor(written / slice) == current then
      used = sum
    else
      repair(width, per_window, written - now)
    end
  end

  function self.earliest(cost)
    if used + cost <= limit and (not top or top <= current) then return now end
    load_counts(slices + 1)
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
    add(floor(at / slice), cost)
  end

  function self.penalize(cost)
    local number = max(current, top or 0)
    local before = number == top and top_count or 0
    add(number, max(before, math.min(limit, before + cost)) - before)
  end

  function self.standing()
    if not top then return limit, 0 end
    return max(0, limit - used), max(0, (top + slices + 1) * slice - now)
  end

  -- Written by `flush`, so that many can be given back at once.
  function self.refund(cost, at)
    local number = floor(at / slice)
    if not top or number < oldest then return false end
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
    for i = 1, math.min(#counts, top - oldest + 1) do
      local given = math.min(left, counts[i])
      counts[i], left = counts[i] - given, left - given
    end
    is_given_back = left < points
    return points - left
  end

  function self.flush()
    if not is_given_back then return end
    local first, last = 1, math.min(#counts, top - oldest + 1)
    while first <= last and counts[first] == 0 do first = first + 1 end
    if first > last then return call('UNLINK', key) end
    top = top - first + 1
    local kept = {}
    for i = first, last do kept[i - first + 1] = counts[i] end
    counts = kept
    used = sum_from(oldest)
    save_all('')
  end

  return self
end
