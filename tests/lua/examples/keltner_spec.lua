local support = require "tests.lua.scripts.support"

describe("keltner", function()
  local script = support.calculator("keltner")
  support.holds_for_every_calculator("keltner", "walk")

  --- Bars of a given height around the closes.
  local function bars(closes, height)
    local out = { open = closes, high = {}, low = {}, close = closes }
    for i, close in ipairs(closes) do out.high[i], out.low[i] = close + height / 2, close - height / 2 end
    return out
  end

  local function level(n, wiggle)
    local list = {}
    for i = 1, n do list[i] = 100 + (i % 2 == 0 and wiggle or -wiggle) end
    return list
  end

  it("is two average true ranges from the mean", function()
    local data = script:run(bars(level(60, 0), 3)).data
    assert.equal(100, data.middle)
    assert.equal(106, data.upper)
    assert.equal(94, data.lower)
    assert.near(0.12, data.width, 1e-15)
    assert.equal(0.5, data.position)
  end)

  it("sees a squeeze where bars are wide and closes hardly move, and counts it", function()
    local quiet = script:run(bars(level(60, 0.1), 3)).data
    assert.equal("on", quiet.squeeze)
    assert.equal(60 - 19, quiet.squeeze_bars)             -- since both bands are there
    local way = {}
    for i = 1, 60 do way[i] = 100 + i end
    local restless = script:run(bars(way, 0.1)).data      -- small bars that go far
    assert.equal("off", restless.squeeze)
    assert.equal(0, restless.squeeze_bars)
  end)

  it("looks through a hole", function()
    local series, closed = support.series("gaps"), support.series("gaps")
    for i in ipairs(closed.time) do closed.time[i] = closed.time[1] + (i - 1) * 3600e6 end
    assert.equal("gap", script:run(series).status)
    assert.same({}, support.changed(script:run(series), script:run(closed)))
  end)

  it("has no value where the last close is missing, and the middle where only the range is", function()
    local series = support.series("walk")
    local n = #series.close
    series.high[n] = 0 / 0
    local result = script:run(series)
    assert.is_number(result.data.middle)
    assert.equal("too_few", result.metadata.reasons.upper)
    series.close[n] = 0 / 0
    assert.equal("missing", script:run(series).metadata.reasons.middle)
  end)

  it("has no place for a close in a channel without width", function()
    assert.equal("flat", script:run(support.series("flat")).metadata.reasons.position)
  end)

  it("is warming below 20 bars", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 19)).status)
    assert.same({}, script:run(support.slice(series, 1, 20)).metadata.reasons)
  end)
end)
