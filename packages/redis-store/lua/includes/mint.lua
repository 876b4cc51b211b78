-- The next number of a history: above the last one, and not below the server's clock in microseconds, so that a history
-- that was lost and begun anew never repeats a number.
local function mint(last, us)
  local minted = math.max(last + 1, us)
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
