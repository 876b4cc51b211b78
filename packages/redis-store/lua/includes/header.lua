-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC, FORMAT = 202, 1
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- What is no entry of this format, be it of another type, counts as absent.
local function read_header(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  if type(head) ~= 'string' or #head < HEADER or string.byte(head, 1) ~= MAGIC or string.byte(head, 2) ~= FORMAT then
    return nil
  end
  local commit = struct.unpack('>I6', head, 5)
  local created, fresh = struct.unpack('>I6I5', head, 19)
  local lives = struct.unpack('>I5', head, 35)
  local deadline, token = struct.unpack('>I6I6', head, 49)
  return {
    flags = string.byte(head, 3),
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

-- The bytes of an entry without a value.
local function empty_entry(flags, created, lives, deadline, token)
  return string.char(MAGIC, FORMAT, flags, 0) .. string.rep('\0', 14) .. struct.pack('>I6', created)
    .. string.rep('\0', 10) .. struct.pack('>I5', lives) .. string.rep('\0', 9)
    .. struct.pack('>I6I6', deadline, token)
end

local function has(flags, flag)
  return math.floor(flags / flag) % 2 == 1
end

local function with(flags, flag)
  if has(flags, flag) then return flags end
  return flags + flag
end

local function without(flags, flag)
  if has(flags, flag) then return flags - flag end
  return flags
end

local function set_flags(key, flags)
  redis.call('SETRANGE', key, 2, string.char(flags))
end

local function set_lease(key, deadline, token)
  redis.call('SETRANGE', key, 48, struct.pack('>I6I6', deadline, token))
end

-- Makes sure the key lives at least this long; never shortens.
local function live_at_least(key, ms)
  local left = redis.call('PTTL', key)
  if left >= 0 and left < ms then redis.call('PEXPIRE', key, whole(ms)) end
end

-- What is left of a settle window, ms; 0 when there is none.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  return math.max(head.created + head.lives - now, 0)
end

-- Removes an entry with its lease; leaves a marker where a settle window stands.
local function remove(key, window, now)
  if window > 0 then
    redis.call('SET', key, empty_entry(EMPTY + SETTLING, now, window, 0, 0), 'PX', whole(window))
  else
    redis.call('UNLINK', key)
  end
end
