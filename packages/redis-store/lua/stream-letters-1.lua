--[[ Lists dead letters, the oldest first.
  KEYS[1]  dead letters of the group
  ARGV[1]  after this one; empty for the first ones
  ARGV[2]  how many
  Returns for each of them: its id, why, how often it was delivered, the entry that it was, its bytes ]]
local reply = {}
local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
for _, letter in ipairs(redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[2])) do
  local fields = {}
  for i = 1, #letter[2], 2 do fields[letter[2][i]] = letter[2][i + 1] end
  local parts = { letter[1], fields.e or '', fields.n or '0', fields.s or '', fields.m or '' }
  for _, part in ipairs(parts) do reply[#reply + 1] = part end
end
return reply
