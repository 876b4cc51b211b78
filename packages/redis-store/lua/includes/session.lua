-- A session: a string. It begins with what it is: u, a session of the user that its tag stands for; a, any other; x, one that
-- has ended; m, one that is kept elsewhere. After u and a: version, absolute end, end, idle time, as doubles, and the data; after
-- x and m: until when that is known; after m: the tag. All times are ms.
-- The list of a tag: a sorted set of the names of its user's sessions by their ends. A session of a user stands while its name is in
-- it, so they all end in one step. A record whose name is not in it shows that the session has ended, as a tombstone does.
local HEAD_BYTES = 33
local END_AT = 17

local function name_of(record, list)
  return string.sub(record, #list + 2)
end

-- Until when a session of this id may be saved for the first time. Its end is remembered as long.
local function late_until(made_at, late, now)
  return (made_at > 0 and made_at or now) + late
end

-- Whether a session of this id may be saved for the first time.
local function is_new_at(made_at, late, now)
  return made_at == 0 or (now < made_at + late and made_at <= now + late)
end

-- Returns live, ended, absent or moved. Live: with the session as a table. Moved: with the tag. made_at: 0 where the id does not say.
local function look_at(record, list, made_at, absolute, late, now)
  local head = redis.call('GETRANGE', record, 0, HEAD_BYTES - 1)
  if head == '' then return 'absent' end
  local kind = string.sub(head, 1, 1)
  if kind == 'x' or kind == 'm' then
    if struct.unpack('>d', head, 2) <= now then return 'absent' end
    if kind == 'x' then return 'ended' end
    return 'moved', redis.call('GETRANGE', record, 9, -1)
  end
  if kind ~= 'u' and kind ~= 'a' then error('not a session') end
  local version, absolute_end, stored_end, idle = struct.unpack('>dddd', head, 2)
  local forgotten_at = made_at > 0 and math.max(stored_end, made_at + late) or stored_end + late
  if forgotten_at <= now then return 'absent' end
  if made_at > 0 then absolute_end = math.min(absolute_end, made_at + absolute) end
  -- A last use that lies ahead: the clock was set back.
  local ends = math.min(stored_end, absolute_end, now + idle)
  if ends <= now then return 'ended' end
  if kind == 'u' and not redis.call('ZSCORE', list, name_of(record, list)) then return 'ended' end
  return 'live', {
    is_user = kind == 'u', version = version, absolute_end = absolute_end, stored_end = stored_end, ends = ends, idle = idle,
    is_set_back = stored_end > now + idle
  }
end

-- A record is kept until its end means nothing any more.
local function keep_record(record, ends, made_at, late, now)
  local until_at = made_at > 0 and math.max(ends, made_at + late) or ends + late
  redis.call('PEXPIRE', record, whole(math.max(1, until_at - now)))
end

local function keep_list(list, now)
  local last = redis.call('ZRANGE', list, -1, -1, 'WITHSCORES')[2]
  if last then redis.call('PEXPIRE', list, whole(math.max(1, tonumber(last) - now))) end
end

local function bury(record, made_at, late, now)
  local until_at = late_until(made_at, late, now)
  if until_at > now then
    redis.call('SET', record, 'x' .. struct.pack('>d', until_at), 'PX', whole(until_at - now))
  else
    redis.call('UNLINK', record)
  end
end
