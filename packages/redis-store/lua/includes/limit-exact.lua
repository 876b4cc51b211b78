-- Never more than the limit in any window: the stamps of the latest admissions in a string, oldest first.
--
-- A call of cost c fits at the time when the (limit - c + 1)-th newest stamp has left the window: one look, however many
-- there are. Nothing is admitted before what was admitted last, so no later window holds more than the one that ends with
-- the newest stamp. A string and not a list, because one GET takes less time than three looks into a list.
--
-- State: time and moment of writing of the latest reservation, when it expires, the largest limit that anything was admitted
-- under since nothing counted last, then the stamps.
local function exact_algorithm(limit, window)
  local head, width = 32, 8
  -- Less than this is read at once; more, stamp by stamp.
  local long = 4096
  local edge = now - window
  local self = { capacity = limit }
  -- Of the key: its bytes if they were read at once, how many stamps there are, the newest, and how many are dead.
  local key, bytes, length, newest, dead
  -- All stamps as numbers, and how many of which were given back; for what is written by `flush`.
  local stamps, given, is_given_back = nil, {}, false

  local function stamp_at(i)
    local from = head + width * i
    if bytes then return (unpacked('>d', bytes, from + 1)) end
    return (unpacked('>d', call('GETRANGE', key, from, from + width - 1)))
  end

  -- Time and moment of writing of the latest reservation, when the key expires, and the largest limit.
  local function header()
    return unpacked('>dddd', bytes or call('GETRANGE', key, '0', '31'))
  end

  -- The bytes of the stamps from the i-th on.
  local function stamps_from(i)
    if bytes then return string.sub(bytes, head + width * i + 1) end
    return call('GETRANGE', key, head + width * i, '-1')
  end

  -- How many of the oldest stamps have left the window that ends now. Only dropped when they are the greater part, and not
  -- when a reservation leaves them behind: it may be taken back, and then they count again.
  local function count_dead()
    if length == 0 or stamp_at(0) > edge then return 0 end
    local low, high = 0, length
    while high - low > 1 do
      local middle = floor((low + high) / 2)
      if stamp_at(middle) <= edge then low = middle else high = middle end
    end
    return high
  end

  -- Writes it all anew.
  local function save(reserved, written, most, stamps)
    local expires = now + with_slack(newest + window - now)
    bytes = pack('>dddd', reserved, written, expires, most) .. stamps
    length = #stamps / width
    call('SET', key, bytes, 'PX', life_of(expires - now))
  end

  -- The server's clock was set back: everything happened at least that much earlier on the new scale.
  local function move_back(by, reserved, written, most)
    local moved = numbers_in(stamps_from(0), 1)
    for i = 1, #moved do moved[i] = max(0, moved[i] - by) end
    newest = max(0, newest - by)
    save(max(0, reserved - by), max(0, written - by), most, packed(moved, #moved))
  end

  function self.read(at_key)
    key, bytes, length, newest, dead = at_key, nil, 0, nil, nil
    bytes = call('GETRANGE', key, '-4096', '-1')
    local size = #bytes
    if size == 0 then return end
    if size == long then
      bytes, size = nil, call('STRLEN', key)
    end
    length = (size - head) / width
    if length < 1 or length % 1 ~= 0 then spoilt() end
    newest = stamp_at(length - 1)
    if newest <= now then return end
    -- Ahead of now: it was reserved, or the clock was set back.
    local reserved, written, _, most = header()
    local wrote = newest == reserved and written or newest
    if wrote > now then move_back(wrote - now, reserved, written, most) end
  end

  function self.earliest(cost)
    if not newest then return now end
    local at = newest > now and newest or now
    local leaving = length + cost - limit - 1
    if leaving < 0 then return at end
    return max(at, stamp_at(leaving) + window)
  end

  function self.take(cost, at)
    local added = pack('>d', at)
    if cost > 1 then added = string.rep(added, cost) end
    dead = newest and count_dead() or 0
    local is_new, drops = not newest, dead * 2 >= length + cost
    local reserved, written, expires, most = 0, 0, 0, limit
    if not is_new then reserved, written, expires, most = header() end
    local largest = dead == length and limit or max(most, limit)
    newest = at
    if is_new or drops then
      if at > now then reserved, written = at, now end
      save(reserved, written, largest, (is_new and '' or stamps_from(dead)) .. added)
      dead = 0
      return
    end
    call('APPEND', key, added)
    length, bytes = length + cost, nil
    if at > now then call('SETRANGE', key, '0', pack('>dd', at, now)) end
    if largest ~= most then call('SETRANGE', key, '24', pack('>d', largest)) end
    if at + window > expires then
      expires = now + with_slack(at + window - now)
      call('SETRANGE', key, '16', pack('>d', expires))
      call('PEXPIRE', key, life_of(expires - now))
    end
  end

  function self.penalize(cost)
    self.take(cost, max(now, newest or 0))
    local reserved, written, _, most = header()
    if length < 2 * most then return end
    -- No more than the newest ones can matter; as many as the largest limit, which may come back.
    save(reserved, written, most, stamps_from(length - most))
    dead = nil
  end

  function self.standing()
    if not newest then return limit, 0 end
    dead = dead or count_dead()
    return max(0, limit - length + dead), max(0, newest + window - now)
  end

  -- How many stamps are not after a time.
  local function count_until(at)
    local low, high = 0, length
    while low < high do
      local middle = floor((low + high) / 2)
      if stamps[middle + 1] <= at then low = middle + 1 else high = middle end
    end
    return low
  end

  -- Written by `flush`, so that many can be given back at once.
  function self.refund(cost, at)
    if not newest or at <= edge then return false end
    stamps = stamps or numbers_in(stamps_from(0), 1)
    local before = given[at] or 0
    local present, last = 0, count_until(at)
    for i = last, max(1, last - before - cost + 1), -1 do
      if stamps[i] ~= at then break end
      present = present + 1
    end
    if present <= before then return false end
    given[at] = math.min(present, before + cost)
    is_given_back = true
    return true
  end

  -- The newest first.
  function self.reward(points)
    if not newest then return 0 end
    stamps = numbers_in(stamps_from(0), 1)
    local count = math.min(points, length - count_dead())
    for i = length, length - count + 1, -1 do given[stamps[i]] = (given[stamps[i]] or 0) + 1 end
    is_given_back = count > 0
    return count
  end

  function self.flush()
    if not is_given_back then return end
    local kept, first = {}, length
    for i = length, 1, -1 do
      local left = given[stamps[i]] or 0
      if left > 0 then
        given[stamps[i]] = left - 1
      else
        kept[first], first = stamps[i], first - 1
      end
    end
    if first == length then return call('UNLINK', key) end
    local reserved, written, _, most = header()
    newest = kept[length]
    if newest > now then reserved, written = newest, now end
    local remaining = {}
    for i = first + 1, length do remaining[i - first] = kept[i] end
    save(reserved, written, most, packed(remaining, length - first))
  end

  return self
end
