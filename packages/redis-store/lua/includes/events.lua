-- Streams of events: entries `<version>-0`, so that Redis itself refuses a version that was there.

-- The last version of a stream, 0 when it has none.
local function last_version(stream)
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  return last and tonumber(string.match(last[1], '^(%d+)')) or 0
end

-- The last position of a log, also when its last entry was removed.
local function last_position(log)
  if redis.call('EXISTS', log) == 0 then return 0 end
  local about = redis.call('XINFO', 'STREAM', log)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then return tonumber(string.match(about[i + 1], '^(%d+)')) end
  end
end

-- Adds what a reply says of an entry: position, time, form, bytes. Fields that somebody else wrote are left out.
local function add_event(reply, fields)
  local named = {}
  for i = 1, #fields, 2 do named[fields[i]] = fields[i + 1] end
  for _, name in ipairs({ 'p', 't', 'f', 'd' }) do reply[#reply + 1] = named[name] or '' end
  return #(named.d or '')
end
