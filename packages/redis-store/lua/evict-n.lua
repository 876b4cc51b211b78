--[[ Evicts entries, and with them every lease on them. Those of one partition and one way share a change, which stands or fails alone.
  KEYS[1..]  the partition log of each change, then the entries of each change, then heads of all partitions, what waits to be announced; in a Cluster without these
  ARGV[1]    channel
  ARGV[2]    how many changes
  ARGV[3..]  for each change: soft 0 | 1; settle window, ms, 0 for none; how many entries
  Returns doubles, packed: now, for how long an announcement waits, ms, whether the caller owes it 0 | 1, then for each change:
  previous, seq; then a digit for each change: 1 done | 2 failed; then a
  line of text for each that failed ]]
--- @include "now"
--- @include "mint"
--- @include "header"
--- @include "announce"
--- @include "log"
--- @include "full"
--- @include "text-of"
local channel, change_count = ARGV[1], tonumber(ARGV[2])
local entry_count = 0
for i = 1, change_count do entry_count = entry_count + tonumber(ARGV[3 * i + 2]) end
heads, owed = KEYS[change_count + entry_count + 1], KEYS[change_count + entry_count + 2]
local us = now_us()
local now = math.floor(us / 1000)

-- An earlier window that ends later stays: the source cannot be trusted again before its end.
local function window_after(head, settle)
  if head and has(head.flags, WAITED) then is_waited = true end
  return math.max(settle, window_of(head, now))
end

local function soften(key, settle)
  local head = read_header(key)
  local window = window_after(head, settle)
  if not head or has(head.flags, EMPTY) then return remove(key, window, now) end
  local flags = bit.bor(bit.band(head.flags, bit.bnot(WAITED + SETTLING)), STALE)
  if window > 0 then
    flags = flags + SETTLING
    set_window(key, head, now + window)
    live_at_least(key, window)
  end
  set_flags(key, flags)
  set_lease(key, 0, 0)
end

local function harden(key, settle)
  remove(key, window_after(read_header(key), settle), now)
end

local function evict(log, first, last, is_soft, settle)
  begin_even_when_full(log)
  local previous = head_of(log, us)
  local names = {}
  for i = first, last do
    if is_soft then soften(KEYS[i], settle) else harden(KEYS[i], settle) end
    names[#names + 1] = string.sub(KEYS[i], #log + 2)
  end
  -- The message wakes waiters too.
  return previous, record(log, channel, previous, names, us, is_soft, settle)
end

local reply, outcomes, errors = {}, {}, {}
local first = change_count + 1
for i = 1, change_count do
  local a = 3 * i
  local last = first + tonumber(ARGV[a + 2]) - 1
  local is_done, previous, seq = pcall(evict, KEYS[i], first, last, ARGV[a] == '1', tonumber(ARGV[a + 1]))
  reply[i] = is_done and struct.pack('>dd', previous, seq) or struct.pack('>dd', 0, 0)
  outcomes[i] = is_done and 1 or 2
  if not is_done then errors[#errors + 1] = text_of(previous) end
  first = last + 1
end
keep_paid()
return struct.pack('>ddd', now, math.ceil(waits / 1000), owes) .. table.concat(reply) .. table.concat(outcomes) .. table.concat(errors, '\n')
