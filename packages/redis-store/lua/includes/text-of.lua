-- What went wrong, as a line of text, for replies in which each key has a result of its own.
local function text_of(reason)
  local text = type(reason) == 'table' and reason.err or reason
  return (string.gsub(string.sub(text, 1, 200), '[\r\n]', ' '))
end
