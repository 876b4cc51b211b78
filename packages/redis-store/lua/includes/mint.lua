-- How far apart two numbers may be that are minted while the clock is behind, us: two histories rarely meet in one.
local SPREAD = 4096

-- The next number of a history: the server's clock in microseconds, so that a history that was lost and begun anew never
-- repeats a number. If the clock was set back, the number is above the last one by an amount made from the clock: simple counting
-- would give the numbers of a lost history to other changes.
local function mint(last, us)
  local minted = us > last and us or last + 1 + us % SPREAD
  -- Scores are doubles: beyond 2^53 the next number would be the same one. Checked before anything is written.
  if minted ~= minted or minted >= 9007199254740992 then error('LARDER a sequence has left the whole numbers') end
  return minted
end
