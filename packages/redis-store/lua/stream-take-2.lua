--[[ Delivers entries of a group that were delivered before: those that are due again, and those of silent consumers.
  KEYS[1]   stream
  KEYS[2]   when entries are due again, ms
  ARGV[1]   now, us, for tests
  ARGV[2]   group
  ARGV[3]   consumer
  ARGV[4]   how many
  ARGV[5]   after how long a consumer counts as silent, ms
  ARGV[6]   where the last look for silent ones ended
  ARGV[7..] entries that the consumer has, which are left alone
  Returns {0} when there is no such group | {1, where this look ended, in how many ms the next one is due or -1, how many are no longer in
  the stream, each of them, then for each entry: its id, how often it was delivered, for which group only or empty, its bytes} ]]
--- @include "now"
--- @include "clock"
--- @include "stream"
local stream, due = KEYS[1], KEYS[2]
local now = math.floor(clock_us(ARGV[1]) / 1000)
local group, consumer, count, idle, cursor = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local held = {}
for i = 7, #ARGV do held[ARGV[i]] = true end
if is_error(redis.pcall('XPENDING', stream, group), 'NOGROUP') then return { 0 } end

-- How many pending entries one look for silent consumers goes through.
local LOOKED_AT = 500
local taken, gone, before = {}, {}, cursor

local function deliver(id)
  local _, deliveries = pending(stream, group, id)
  redis.call('ZREM', due, id)
  held[id] = true
  if not deliveries then return end
  local found = redis.call('XRANGE', stream, id, id)
  if #found == 0 then
    redis.call('XACK', stream, group, id)
    gone[#gone + 1] = id
    return
  end
  redis.call('XCLAIM', stream, group, consumer, 0, id)
  local fields = {}
  for i = 1, #found[1][2], 2 do fields[found[1][2][i]] = found[1][2][i + 1] end
  for _, part in ipairs({ id, deliveries + 1, fields.g or '', fields.m or '' }) do taken[#taken + 1] = part end
end

local function left() return count - #taken / 4 end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', whole(now), 'LIMIT', 0, count)) do
  if not held[id] then deliver(id) end
end
if left() > 0 then
  -- XAUTOCLAIM would look at ten for each that is asked for, and claim those that are due later: many of them would hide the silent ones.
  local found = redis.call('XPENDING', stream, group, cursor == '0-0' and '-' or '(' .. cursor, '+', LOOKED_AT)
  cursor = #found == LOOKED_AT and found[LOOKED_AT][1] or '0-0'
  for _, entry in ipairs(found) do
    if left() <= 0 then
      cursor = before
      break
    end
    local id = entry[1]
    if entry[3] >= idle and not held[id] and not redis.call('ZSCORE', due, id) then deliver(id) end
    before = id
  end
end

local next_one = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
local reply = { 1, cursor, next_one[2] and math.max(0, tonumber(next_one[2]) - now) or -1, #gone }
for _, id in ipairs(gone) do reply[#reply + 1] = id end
for _, part in ipairs(taken) do reply[#reply + 1] = part end
return reply
