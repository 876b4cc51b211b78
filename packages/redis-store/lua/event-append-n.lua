--[[ Appends events to a stream and to the log of its partition, if the stream is at the version that is expected.
  KEYS[1]   stream
  KEYS[2]   log of the partition
  KEYS[3..] what the id has done; absent without an id
  ARGV[1]   now, us, for tests
  ARGV[2]   name of the stream
  ARGV[3]   any | none | exists | a version
  ARGV[4]   how long an id is remembered, ms
  ARGV[5]   what tells these events from others at their positions
  ARGV[6..] for each event: the number of its form, its bytes
  Returns {appended | duplicate | conflict, version of the stream} ]]
--- @include "now"
--- @include "clock"
--- @include "events"
local now = math.floor(clock_us(ARGV[1]) / 1000)
local stream, log, done = KEYS[1], KEYS[2], KEYS[3]
local name, expected = ARGV[2], ARGV[3]
local RANGE = 2 ^ 53 - 1
if done then
  local ends, version = string.match(redis.call('GET', done) or '', '^(%d+):(%d+)$')
  if ends and tonumber(ends) > now then
    -- Written once more: who waits for the disk waits for what this connection wrote, and the append may be another one's.
    redis.call('SET', done, ends .. ':' .. version, 'KEEPTTL')
    return { 'duplicate', version }
  end
end
-- Both are read before anything is written: a key of another kind must not leave half of an append behind.
local version, position = last_version(stream), last_position(log)
local is_met = expected == 'any'
  or (expected == 'none' and version == 0)
  or (expected == 'exists' and version > 0)
  or tonumber(expected) == version
if not is_met then return { 'conflict', whole(version) } end
local count = (#ARGV - 5) / 2
if math.max(version, position) + count > RANGE then
  return redis.error_reply('ERR the version would be beyond 2^53 - 1')
end
-- The stream first: if it had this version before, Redis refuses it, and nothing has been written yet.
for i = 6, #ARGV, 2 do
  version, position = version + 1, position + 1
  redis.call('XADD', stream, whole(version) .. '-0', 'p', whole(position), 't', whole(now), 'f', ARGV[i], 'd', ARGV[i + 1])
  redis.call('XADD', log, whole(position) .. '-0', 's', name, 'v', whole(version), 'm', ARGV[5])
end
if done and count > 0 then
  local lives = tonumber(ARGV[4])
  redis.call('SET', done, whole(now + lives) .. ':' .. whole(version), 'PX', whole(lives))
end
return { 'appended', whole(version) }
