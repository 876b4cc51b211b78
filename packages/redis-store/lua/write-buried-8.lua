--[[ Lists dead letters, the oldest first.
  KEYS[1]    state: last version, fence, holder
  KEYS[2]    items: by key, where its writes are
  KEYS[3]    values: by place and key
  KEYS[4]    when each key is due
  KEYS[5]    version of the oldest write of each key
  KEYS[6]    dead letters, by id
  KEYS[7]    when each was buried
  KEYS[8]    by key, the dead letter that no newer write has outdated
  ARGV[1]    now, us, for tests
  ARGV[2]    how many are left out
  ARGV[3]    how many are listed
  Returns for each: {id, 1 when a newer write of the key came since, key, when it was buried, us, tries, error, for each write: kind, version, bytes} ]]
--- @include "now"
--- @include "writes"
local reply = {}
local skip, take = tonumber(ARGV[2]), tonumber(ARGV[3])
if take < 1 then return reply end
for _, id in ipairs(redis.call('ZRANGE', GRAVES, skip, skip + take - 1)) do
  local packed = redis.call('HGET', LETTERS, id)
  if packed then
    local letter = cmsgpack.unpack(packed)
    local row = { id, redis.call('HGET', LATEST, letter[1]) == id and 0 or 1 }
    for _, item in ipairs(letter) do row[#row + 1] = item end
    reply[#reply + 1] = row
  end
end
return reply
