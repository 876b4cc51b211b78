-- What went wrong, as a line of text, for replies in which each key has a result of its own. That the server is a replica
-- concerns all of them, and the client library has to see it, which then goes elsewhere: so it is the script that fails, as it
-- does at a write that nothing catches.
local function text_of(reason)
  local text = type(reason) == 'table' and reason.err or reason
  if string.find(text, 'READONLY ', 1, true) then redis.call('ZREM', KEYS[1], '') end
  return (string.gsub(string.sub(text, 1, 200), '[\r\n]', ' '))
end
