-- What the decide scripts answer: the time, then for each call as many numbers as there are fields, packed; and behind them
-- a line of text for each call that failed. A key that cannot be read, or a write that is refused, fails only its own call.
-- `decide(i, reply, at)` writes the fields of the i-th call behind the position `at`.
local function decide_each(calls, fields, decide)
  local reply, errors = { now }, {}
  for i = 1, calls do
    local at = 1 + (i - 1) * fields
    local is_decided, reason = pcall(decide, i, reply, at)
    if not is_decided then
      for field = 2, fields do reply[at + field] = 0 end
      reply[at + 1] = -2
      errors[#errors + 1] = text_of(reason)
    end
  end
  return packed(reply, 1 + calls * fields) .. table.concat(errors, '\n')
end
