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

-- What tells the event at a position from others that were there; empty when it is not there, or has no mark.
local function mark_at(log, position)
  local id = whole(position) .. '-0'
  local entry = position > 0 and redis.call('XRANGE', log, id, id)[1]
  for i = 1, entry and #entry[2] or 0, 2 do
    if entry[2][i] == 'm' then return entry[2][i + 1] end
  end
  return ''
end

-- Whether the log has the event that is said to be at a position: a server that took over, or a backup, may have others, or fewer.
local function is_continued(log, position, mark)
  if position == 0 then return true end
  if position > last_position(log) then return false end
  local found = mark_at(log, position)
  return found == '' or mark == '' or found == mark
end

-- Adds what a reply says of an entry: position, time, form, bytes. Fields that somebody else wrote are left out.
local function add_event(reply, fields)
  local named = {}
  for i = 1, #fields, 2 do named[fields[i]] = fields[i + 1] end
  for _, name in ipairs({ 'p', 't', 'f', 'd' }) do reply[#reply + 1] = named[name] or '' end
  return #(named.d or '')
end
