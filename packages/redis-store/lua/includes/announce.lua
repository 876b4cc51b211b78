-- How changes are announced. A message costs the server by the number of nodes that hear it, so that many a second would take all
-- of its time: then changes are only logged, and wait together for one message. A change that comes alone is announced at once.
--
-- Messages pay for themselves in time: each moves the instant up to which all of them are paid for by what it takes, twice, so
-- that they take half of a core at most. While that instant is further ahead than AHEAD, changes wait. The node that leaves the
-- first of them owes the message; a script that announces anything sends along what waits. If nobody does, syncs tell.

-- Where the heads of all partitions are kept once more, 8 bytes each, so that nodes read them with one command; and what waits to
-- be announced. Scripts set them to keys that they were given; in a Cluster there are none.
local heads, owed
-- Behind the heads: up to when messages are paid for, us, and whether anything waits.
local PAID_AT, PAID = 512, '>dB'
-- What a message takes for each who hears it, us, twice.
local EACH = 16
local AHEAD = 50000
-- Further ahead than messages can bring it: the clock was set back.
local TOO_FAR = 2000000
-- More than this does not wait, bytes; nor for longer, ms: it is no news any more.
local MOST, LONGEST = 65536, 60000

-- Of this script. How long what it left will wait, us, 0 for nothing; whether it is the first and owes the message; whether
-- somebody waits for a lease that has ended, and is not to wait for longer.
local waits, owes, is_waited = 0, 0, false
local paid_until, is_owed
-- Whether one of the two has changed and is to be written.
local is_dirty = false

local function is_gathering(us)
  if not owed then return false end
  if not paid_until then
    local bytes = redis.pcall('GETRANGE', heads, PAID_AT, PAID_AT + 8)
    paid_until, is_owed = 0, 0
    if type(bytes) == 'string' and #bytes == 9 then paid_until, is_owed = struct.unpack(PAID, bytes) end
    if paid_until > us + TOO_FAR then paid_until = us end
  end
  return paid_until > us + AHEAD
end

local function framed(list)
  return struct.pack('>I4', #list) .. list
end

local function set_paid(until_us, flag)
  paid_until, is_owed, is_dirty = until_us, flag, true
end

-- Called once, when everything is announced: a script may announce changes of many partitions.
local function keep_paid()
  if is_dirty then redis.call('SETRANGE', heads, PAID_AT, struct.pack(PAID, paid_until, is_owed)) end
end

-- Publishes what waits, and with it a change, if there is one. Returns whether there was anything.
local function publish_all(channel, list, us)
  local before = is_owed == 1 and redis.call('GET', owed) or nil
  local payload = list and 'k' .. list
  if before then payload = 'm' .. before .. (list and framed(list) or '') end
  local heard = payload and redis.call('PUBLISH', channel, payload) or 0
  if before then redis.call('UNLINK', owed) end
  set_paid(math.max(paid_until, us) + heard * EACH, 0)
  return payload and 1 or 0
end

local function announce(channel, list, us)
  if not owed then return redis.call('PUBLISH', channel, 'k' .. list) end
  if not is_gathering(us) or is_waited then return publish_all(channel, list, us) end
  local length = 0
  if is_owed == 1 then
    length = redis.call('APPEND', owed, framed(list))
  else
    -- What is there, if anything, was left behind by a loss.
    redis.call('SET', owed, framed(list), 'PX', LONGEST)
    set_paid(paid_until, 1)
    owes = 1
  end
  if length > MOST then return publish_all(channel, nil, us) end
  waits = paid_until - AHEAD - us
end
