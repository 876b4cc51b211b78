--[[ Replaces an entry if it still is the one that the writer saw; otherwise changes nothing and tells what is there.
  KEYS[1..]  partition log, entry, heads of all partitions, what waits to be announced; in a Cluster without these
  ARGV[1]    channel
  ARGV[2]    bytes; none to remove the entry
  ARGV[3]    life, ms
  ARGV[4]    commit id of the entry seen, 0 for none
  ARGV[5]    number that the writer knew before it looked, for one that found nothing it could use; 0 for one that used what it saw
  Returns {now, previous, seq, for how long an announcement waits, ms, whether the caller owes it 0 | 1} stored | {now, 0, seq, bytes or nil} refused ]]
--- @include "now"
--- @include "mint"
--- @include "header"
--- @include "store"
--- @include "announce"
--- @include "log"
heads, owed = KEYS[3], KEYS[4]
local log, key, bytes = KEYS[1], KEYS[2], ARGV[2]
local us = now_us()
local now = math.floor(us / 1000)
local seq = head_of(log, us)
local name = string.sub(key, #log + 2)

local function has_changed(since)
  if since == seq then return false end
  if not reaches_back(log, since, seq) then return true end
  local found = redis.call('ZRANGEBYSCORE', log, '(' .. whole(since), '+inf')
  for i = 1, #found do
    local colon = string.find(found[i], ':', 1, true)
    if string.sub(found[i], colon + 1) == name then return true end
  end
  return false
end

local function is_as_seen(head, seen, since)
  if (head and head.commit or 0) ~= seen then return false end
  if since ~= 0 then return not has_changed(since) end
  return head ~= nil and not has(head.flags, STALE)
end

local head = read_header(key)
if head and has(head.flags, WAITED) then is_waited = true end
local own = #bytes >= HEADER and parse_header(string.sub(bytes, 1, HEADER)) or nil
-- The request came twice, and the first reply was lost.
local is_repeated = own ~= nil and head ~= nil and head.commit == own.commit
if not is_repeated and not is_as_seen(head, tonumber(ARGV[4]), tonumber(ARGV[5])) then
  return { now, 0, seq, head and redis.call('GET', key) or nil }
end
if bytes == '' then
  remove(key, window_of(head, now), now)
elseif not is_repeated then
  store(key, bytes, ARGV[3], struct.pack('>I6', now))
end
local minted = record(log, ARGV[1], seq, { name }, us)
keep_paid()
return { now, seq, minted, math.ceil(waits / 1000), owes }
