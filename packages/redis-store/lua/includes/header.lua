-- Fields of an entry's header (see the core package's envelope). Offsets are zero-based, as GETRANGE counts.
local HEADER = 60
local MAGIC_AND_FORMAT = '\202\001'
-- Magic and format, flags, steps, commit, birth, created, fresh, stale, lives, load time and sizes, deadline, token.
local LAYOUT = '>c2BBI6dI6I5I5I5I5I4I6I6'
local STALE, WAITED, EMPTY, SETTLING = 4, 8, 16, 32
local TOKEN_AT = 54
-- An entry outlives its lease by this much, so that a fill at the last moment still finds its token.
local SLACK = 1000

-- A value that is not an entry of this format, or has another type, counts as absent.
local function header_bytes(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER - 1)
  return type(head) == 'string' and #head == HEADER and head or nil
end

local function parse_header(head)
  if not head then return nil end
  local magic, flags, _, commit, _, created, fresh, _, lives, _, _, deadline, token = struct.unpack(LAYOUT, head)
  if magic ~= MAGIC_AND_FORMAT then return nil end
  return {
    flags = flags,
    commit = commit,
    created = created,
    fresh = fresh,
    lives = lives,
    deadline = deadline,
    token = token
  }
end

local function read_header(key)
  return parse_header(header_bytes(key))
end

-- The bytes of an entry without a value.
local function empty_entry(flags, created, lives, deadline, token)
  return struct.pack(LAYOUT, MAGIC_AND_FORMAT, flags, 0, 0, 0, created, 0, 0, lives, 0, 0, deadline, token)
end

local function has(flags, flag)
  return bit.band(flags, flag) ~= 0
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

-- How much of a settle window is left, ms; 0 when there is none. It ends with the entry's life; in a stale entry, which may be
-- kept longer, the field for freshness holds its end.
local function window_of(head, now)
  if not head or not has(head.flags, SETTLING) then return 0 end
  local length = has(head.flags, STALE) and head.fresh or head.lives
  return math.max(head.created + length - now, 0)
end

-- Writes the end of a settle window into a stale entry.
local function set_window(key, head, ends)
  redis.call('SETRANGE', key, 24, struct.pack('>I5', math.max(ends - head.created, 0)))
end

-- Removes an entry with its lease; leaves a marker where a settle window stands.
local function remove(key, window, now)
  if window > 0 then
    redis.call('SET', key, empty_entry(EMPTY + SETTLING, now, window, 0, 0), 'PX', whole(window))
  else
    redis.call('UNLINK', key)
  end
end
