--- tally: a library that counts.
local tally = {}
local calls = 0

--- One more.
function tally.next()
  calls = calls + 1
  return calls
end

return tally
