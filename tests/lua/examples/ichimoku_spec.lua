local support = require "tests.lua.scripts.support"

describe("ichimoku", function()
  local script = support.calculator("ichimoku")
  support.holds_for_every_calculator("ichimoku", "walk")

  --- n bars of height 2 whose closes rise by `step`.
  local function line(n, step)
    local out = { open = {}, high = {}, low = {}, close = {} }
    for i = 1, n do
      local close = 1000 + step * i
      out.open[i], out.high[i], out.low[i], out.close[i] = close, close + 1, close - 1, close
    end
    return out
  end

  it("is the middle of 9, 26 and 52 bars, and the cloud that of 25 bars ago", function()
    local data = script:run(line(120, 1)).data                   -- the last close is 1120
    assert.equal(1116, data.conversion)                          -- between 1111 and 1121
    assert.equal(1120 - 12.5, data.base)
    assert.equal(1120 - 25.5, data.ahead_b)
    assert.equal((data.conversion + data.base) / 2, data.ahead_a)
    assert.equal(data.ahead_a - 25, data.leading_a)
    assert.equal(data.ahead_b - 25, data.leading_b)
    assert.near(100 * (1120 / 1095 - 1), data.lagging, 1e-12)
    assert.equal("above", data.position)
    assert.equal("bullish", data.signal)
  end)

  it("is below its cloud in a fall, inside it where nothing moves", function()
    local fall = script:run(line(120, -1)).data
    assert.equal("below", fall.position)
    assert.equal("bearish", fall.signal)
    local rest = script:run(line(120, 0)).data
    assert.equal("inside", rest.position)
    assert.equal("neutral", rest.signal)
  end)

  it("draws the cloud over the same bar with a displacement of 1", function()
    local input = line(120, 1)
    input.params = { displacement = 1 }
    local data = script:run(input).data
    assert.equal(data.ahead_a, data.leading_a)
    assert.equal(data.ahead_b, data.leading_b)
    assert.equal(0, data.lagging)
  end)

  it("takes the bars that are there in order, across a hole", function()
    local series, closed = support.series("gaps"), support.series("gaps")
    local n = #series.time
    for i = 1, n do closed.time[i] = closed.time[n] - (n - i) * 3600e6 end
    closed.params = { displacement = 26 }
    local torn = script:run(support.slice(series, n - 100, n))
    assert.equal("gap", torn.status)
    local whole = script:run(support.slice(closed, n - torn.metadata.rows + 1, n))
    assert.same({}, support.changed(torn, whole))
  end)

  it("loses the position with a missing last close, not the lines", function()
    local series = support.series("walk")
    series.close[#series.close] = 0 / 0
    assert.same({ position = "missing", lagging = "missing" }, script:run(series).metadata.reasons)
  end)

  it("is warming below 52 bars; the cloud needs 77", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 51)).status)
    local few = script:run(support.slice(series, 1, 76))
    assert.equal("ok", few.status)
    assert.equal("too_few", few.metadata.reasons.leading_b)
    assert.is_number(few.data.leading_a)
    assert.is_number(few.data.ahead_b)
    assert.same({}, script:run(support.slice(series, 1, 77)).metadata.reasons)
  end)
end)
