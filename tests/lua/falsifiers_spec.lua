-- Claims that a wrong formula would not survive, on data whose truth is known because it was made. Those of cycles stand
-- in tests/c/num/test_spectrum.c, of correlation in its spec, of regimes in theirs.
local petrosa = require "petrosa"

-- Normal deviates of a generator that is the same on every machine (Park & Miller 1988, Box & Muller 1958).
local function normals(seed)
  local state = seed
  local function uniform()
    state = state * 48271 % 2147483647
    return state / 2147483647
  end
  return function() return math.sqrt(-2 * math.log(uniform())) * math.cos(2 * math.pi * uniform()) end
end

-- Score of the last value among all, as the mad detector has it: 0.6745 |x - median| / MAD.
local SCORE = "local v = ... local mad, median = v:mad() return 0.6745 * math.abs(v:final() - median) / mad"

describe("the median absolute deviation", function()
  it("finds one 5-sigma bar in 168 in at least 90 % of 500 draws, and few bars that are like all others", function()
    local normal, found, alarms = normals(20250101), 0, 0
    for _ = 1, 500 do
      local x = {}
      for i = 1, 168 do x[i] = normal() end
      if petrosa.eval(SCORE, x) > 3.5 then alarms = alarms + 1 end
      x[168] = 5
      if petrosa.eval(SCORE, x) > 3.5 then found = found + 1 end
    end
    assert.is_true(found >= 450, found .. " of 500")
    assert.is_true(alarms <= 10, alarms .. " of 500")
  end)
end)
