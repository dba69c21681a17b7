-- Claims that a wrong formula would not survive, on data whose truth is known because it was made. Those of cycles stand
-- in tests/c/num/test_spectrum.c, of correlation, regimes and the isolation forest in their specs.
local support = require "tests.lua.scripts.support"

describe("the detector mad", function()
  local script = support.load("mad")

  -- 168 bars of normal returns of 1 %, the one at `at` of `times` as much; which bars are hits.
  local function hits(normal, at, times, whole)
    local close, x = {}, 100
    for i = 1, 168 do
      local r = i == at and times or normal()
      x = x * math.exp(0.01 * r)
      close[i] = x
    end
    local result = script:run { period = "1h", close = close, whole = whole, params = { window_days = 7 } }
    assert.equal("ok", result.status)
    assert.equal(168, result.metadata.rows)
    local places = {}
    for _, hit in ipairs(result.data.anomalies) do places[(hit.time - 1735689600) / 3600 + 1] = hit end
    return places, result.data
  end

  it("finds one 5-sigma bar in 168 in at least 90 % of 500 draws, wherever it is, and few bars that are like all others", function()
    local normal, found, newest, alarms, bars = support.normals(20250101), 0, 0, 0, 0
    for draw = 1, 500 do
      local at, up = 2 + draw * 61 % 167, draw % 2 == 0
      local places = hits(normal, at, up and 5 or -5, true)
      if places[at] then
        found = found + 1
        assert.equal(up and "up" or "down", places[at].direction)
      end
      for place in pairs(places) do alarms = alarms + (place ~= at and 1 or 0) end
      bars = bars + 166
      local _, data = hits(normal, 168, 5, false)
      newest = newest + data.found
    end
    assert.is_true(found >= 450, found .. " of 500 found in the window")
    assert.is_true(newest >= 450, newest .. " of 500 found as the newest bar")
    assert.is_true(alarms <= 0.005 * bars, alarms .. " of " .. bars .. " flagged")
    io.stderr:write(("  table mad  5 sigma: %d and %d of 500; false: %d of %d bars\n"):format(found, newest, alarms, bars))
  end)

  it("is there for a reason: beside three bad ticks the standard deviation misses what it finds", function()
    local normal, close, x = support.normals(7), {}, 100
    for i = 1, 168 do
      x = x * math.exp(0.01 * ((i == 40 or i == 80 or i == 120) and 40 or i == 168 and -5 or normal()))
      close[i] = x
    end
    local input = { period = "1h", close = close, params = { window_days = 7 } }
    assert.equal(1, script:run(input).data.found)
    assert.equal(0, support.load("zscore"):run(input).data.found)
  end)
end)
