--[[ Puts a dead letter back at the end of the stream, for its group only.
  KEYS[1]  stream
  KEYS[2]  dead letters of the group
  ARGV[1]  group
  ARGV[2]  dead letter
  Returns {the entry that it is now} | {} when there is no such dead letter ]]
local letter = redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2])[1]
if not letter then return {} end
local fields = {}
for i = 1, #letter[2], 2 do fields[letter[2][i]] = letter[2][i + 1] end
local entry = redis.call('XADD', KEYS[1], '*', 'm', fields.m or '', 'g', ARGV[1])
redis.call('XDEL', KEYS[2], ARGV[2])
return { entry }
