--[[ Lists the keys changed after a sequence number.
  KEYS[1..]  partition log, heads of all partitions; in a Cluster without these
  ARGV[1]    sequence number
  Returns {1, seq, 'number:key', ...} | {0, seq} when the log does not reach back, or this history does not contain that number ]]
--- @include "now"
--- @include "mint"
--- @include "announce"
--- @include "log"
heads = KEYS[2]
local log, since = KEYS[1], tonumber(ARGV[1])
local seq = head_of(log, now_us())
if seq == since then return { 1, seq } end
if not reaches_back(log, since, seq) then return { 0, seq } end
local reply = { 1, seq }
local found = redis.call('ZRANGEBYSCORE', log, '(' .. ARGV[1], '+inf')
for i = 1, #found do reply[i + 2] = found[i] end
return reply
