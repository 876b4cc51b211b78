--[[ Reads the heads of partitions from their logs, which are created where they are absent, and notes them where all heads are kept.
  KEYS[1..]  partition logs, then heads of all partitions; in a Cluster without these
  ARGV[1]    how many logs
  Returns for each log: seq | 0 for one that cannot be created, where there are several ]]
--- @include "now"
--- @include "mint"
--- @include "announce"
--- @include "log"
local count = tonumber(ARGV[1])
local us = now_us()
heads = KEYS[count + 1]

local reply = {}
for i = 1, count do
  local is_there, seq = true, nil
  if count == 1 then seq = head_of(KEYS[i], us) else is_there, seq = pcall(head_of, KEYS[i], us) end
  reply[i] = is_there and seq or 0
  -- A full server takes no note: then logs are asked again the next time.
  if is_there then pcall(note_head, KEYS[i], seq) end
end
return reply
