-- Whether an answer is an error that begins with this word: a group can be missing at any time, because the store lost data.
local function is_error(answer, word)
  return type(answer) == 'table' and answer.err ~= nil and string.find(answer.err, word, 1, true) ~= nil
end

-- The pending entry with this id: its consumer, and how often it was delivered. Nothing when it is not pending, or the group is gone.
local function pending(stream, group, id)
  local found = redis.pcall('XPENDING', stream, group, id, id, 1)
  if found.err or #found == 0 then return nil end
  return found[1][2], found[1][4]
end

-- Lets an entry be due at once, as if it had not been delivered. One that waits already was handed back before.
local function hand_back(stream, due, group, consumer, id, deliveries, now)
  if redis.call('ZSCORE', due, id) then return end
  redis.call('XCLAIM', stream, group, consumer, 0, id, 'RETRYCOUNT', math.max(0, deliveries - 1), 'JUSTID')
  redis.call('ZADD', due, now, id)
end
