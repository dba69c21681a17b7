local support = require "tests.lua.scripts.support"

describe("supertrend", function()
  local script = support.calculator("supertrend")
  support.holds_for_every_calculator("supertrend", "walk")

  --- Bars of height 2 around the closes, and an average true range of 2 as long as they move by 1 at most.
  local function bars(closes)
    local out = { open = closes, high = {}, low = {}, close = closes }
    for i, close in ipairs(closes) do out.high[i], out.low[i] = close + 1, close - 1 end
    return out
  end

  local function line(n, from, step)
    local list = {}
    for i = 1, n do list[i] = from + step * i end
    return list
  end

  it("trails a rise at three ranges below, and a fall above", function()
    local up = script:run(bars(line(60, 100, 1))).data
    assert.near(160 - 3 * 2, up.supertrend, 1e-9)
    assert.equal("up", up.direction)
    local down = script:run(bars(line(60, 200, -1))).data
    assert.near(140 + 3 * 2, down.supertrend, 1e-9)
    assert.equal("down", down.direction)
    assert.near(100 * (140 / 146 - 1), down.distance, 1e-9)
  end)

  it("turns on the bar that closes through the line, and keeps the line where the price comes back a little", function()
    local closes = line(60, 100, 1)
    for i = 61, 64 do closes[i] = closes[i - 1] - 1 end   -- 4 back: the stop at 154 holds
    local rests = script:run(bars(closes)).data
    assert.equal("up", rests.direction)
    assert.near(154, rests.supertrend, 1e-9)
    for i = 65, 67 do closes[i] = closes[i - 1] - 1 end   -- 153: through it
    local turned = script:run(bars(closes)).data
    assert.equal("down", turned.direction)
    assert.equal(0, turned.bars_since_turn)
    assert.is_true(turned.supertrend > 153)
  end)

  it("says no_turn while nothing has turned", function()
    local result = script:run(bars(line(60, 200, -1)))
    assert.same({ bars_since_turn = "no_turn" }, result.metadata.reasons)
  end)

  it("looks through a hole as every indicator on prices", function()
    local series, closed = support.series("gaps"), support.series("gaps")
    for i in ipairs(closed.time) do closed.time[i] = closed.time[1] + (i - 1) * 3600e6 end
    assert.equal("gap", script:run(series).status)
    assert.same({}, support.changed(script:run(series), script:run(closed)))
  end)

  it("has no value where the last bar is missing one of its prices", function()
    for _, column in ipairs { "close", "high", "low" } do
      local series = support.series("walk")
      series[column][#series.close] = 0 / 0
      assert.equal("missing", script:run(series).metadata.reasons.supertrend)
    end
  end)

  it("is warming until there is a range, and answers with the first", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 11)).status)
    assert.is_number(script:run(support.slice(series, 1, 12)).data.supertrend)
    series.high[5] = 0 / 0
    assert.is_number(script:run(support.slice(series, 1, 12)).data.supertrend)
    series.high[6] = 0 / 0
    assert.equal("too_few", script:run(support.slice(series, 1, 12)).metadata.reasons.direction)
  end)
end)
