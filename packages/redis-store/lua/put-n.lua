--[[ Replaces entries, each by itself; evicts one instead when its key was changed after the writer looked, or may have been.
  KEYS[1..]  partition logs, then entries, none of them twice; then heads of all partitions, what waits to be announced; in a Cluster without these
  ARGV[1]    channel
  ARGV[2]    how many logs
  ARGV[3..]  for each entry: which log, from 1; bytes; life, ms; since, 0 to write in any case
  Returns doubles, packed: now, for how long an announcement waits, ms, whether the caller owes it 0 | 1, then for each log:
  previous, seq; then a digit for each entry: 1 stored | 0 evicted | 2 failed;
  then a line of text for each that failed ]]
--- @include "now"
--- @include "mint"
--- @include "header"
--- @include "store"
--- @include "announce"
--- @include "log"
--- @include "text-of"
local channel, log_count = ARGV[1], tonumber(ARGV[2])
local us = now_us()
local now = math.floor(us / 1000)
local created = struct.pack('>I6', now)
local count = (#ARGV - 2) / 4
heads, owed = KEYS[log_count + count + 1], KEYS[log_count + count + 2]

-- By log: its number before, and the names that are to be recorded in it.
local previous, names = {}, {}
-- By entry: 1 stored, 0 evicted, 2 failed; its log; why it failed.
local outcomes, places, reasons = {}, {}, {}

-- `since` as it came, `log` as it was. A record of that very number proves that the log reaches back: see `reaches_back`.
local function is_refused(log, seq, since, name)
  local number, floor = tonumber(since), floor_of(log) or seq
  if number < floor then return true end
  local found, is_proven = redis.call('ZRANGEBYSCORE', log, since, '+inf'), number == floor
  for i = 1, #found do
    local colon = string.find(found[i], ':', 1, true)
    if string.sub(found[i], 1, colon - 1) == since then
      is_proven = true
    elseif string.sub(found[i], colon + 1) == name then
      return true
    end
  end
  return not is_proven
end

local function put(i)
  local a, key = 4 * i - 1, KEYS[log_count + i]
  local place = tonumber(ARGV[a])
  local log, since = KEYS[place], ARGV[a + 3]
  local seq = previous[place]
  if not seq then
    seq = head_of(log, us)
    previous[place], names[place] = seq, {}
  end
  local name = string.sub(key, #log + 2)
  local is_stored = since == '0' or tonumber(since) == seq or not is_refused(log, seq, since, name)
  if is_gathering(us) then
    local head = read_header(key)
    if head and has(head.flags, WAITED) then is_waited = true end
  end
  if is_stored then store(key, ARGV[a + 1], ARGV[a + 2], created) end
  local of_log = names[place]
  of_log[#of_log + 1] = name
  places[i] = place
  return is_stored and 1 or 0
end

for i = 1, count do
  local is_done, outcome = pcall(put, i)
  outcomes[i] = is_done and outcome or 2
  if not is_done then reasons[i] = text_of(outcome) end
end
-- Last: a full server lets everything through that comes after a removal.
for i = 1, count do
  if outcomes[i] == 0 then
    local key = KEYS[log_count + i]
    remove(key, window_of(read_header(key), now), now)
  end
end

-- The keys of one partition share a number and a message, which wakes waiters too.
local reply, errors = {}, {}
for place = 1, log_count do
  local seq = 0
  if names[place] and names[place][1] then
    local is_done, outcome = pcall(record, KEYS[place], channel, previous[place], names[place], us)
    if is_done then seq = outcome end
    for i = 1, is_done and 0 or count do
      if places[i] == place then outcomes[i], reasons[i] = 2, text_of(outcome) end
    end
  end
  reply[place] = struct.pack('>dd', previous[place] or 0, seq)
end
for i = 1, count do errors[#errors + 1] = reasons[i] end
keep_paid()
return struct.pack('>ddd', now, math.ceil(waits / 1000), owes) .. table.concat(reply) .. table.concat(outcomes) .. table.concat(errors, '\n')
