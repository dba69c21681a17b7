local support = require "tests.lua.scripts.support"

describe("moving_avg", function()
  local script = support.calculator("moving_avg")
  support.holds_for_every_calculator("moving_avg", "walk", {})

  it("stands by its definition: the 20 bars before, and not the bar itself", function()
    local series = support.series("walk", { params = { field = "close" } })
    local n, sum, squares = #series.close, 0, 0
    for i = n - 20, n - 1 do sum = sum + series.close[i] end
    local mean = sum / 20
    for i = n - 20, n - 1 do squares = squares + (series.close[i] - mean) ^ 2 end
    assert.near(math.abs(series.close[n] - mean) / math.sqrt(squares / 19), script:run(series).data.score, 1e-9)
  end)

  it("does not change when the bar itself does, but for its score", function()
    local function expected(close)
      local series = support.series("walk", { whole = true, params = { field = "close", threshold = 0.1 } })
      series.close[#series.close] = close
      local found = script:run(series).data.anomalies
      return found[#found].expected
    end
    assert.equal(expected(200), expected(5000))
  end)

  it("needs 10 of the 20 values before", function()
    local function score(gone)
      local series = support.series("walk", { params = { field = "close" } })
      for i = 1, gone do series.close[#series.close - i] = 0 / 0 end
      return script:run(series)
    end
    assert.is_number(score(10).data.score)
    assert.equal("missing", score(11).metadata.reasons.score)
  end)

  it("has no score in the first 20 bars of the window", function()
    local series = support.series("walk", { whole = true, params = { field = "close", threshold = 0.1, window_days = 2 } })
    local first = script:run(series).data.anomalies[1]
    assert.is_true(first.time * 1e6 >= series.time[#series.time - 47] + 20 * 3600e6)
  end)

  it("cannot tell where nothing moves", function()
    assert.equal("flat", script:run(support.series("flat")).metadata.reasons.found)
    local close = {}
    for i = 1, 60 do close[i] = i < 30 and 100 + i or 150 end
    assert.equal("missing", script:run({ close = close, params = { field = "close" } }).metadata.reasons.score)
  end)

  it("looks through a hole at closes, and has no return behind it", function()
    local series = support.series("walk")
    series.time[400] = series.time[400] + 3600e6
    assert.equal("gap", script:run(series).status)
    assert.equal("missing", script:run(series).metadata.reasons.found)
    series.params = { field = "close" }
    assert.is_number(script:run(series).data.score)
  end)

  it("is warming below 30 bars", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 29)).status)
    assert.equal("ok", script:run(support.slice(series, 1, 30)).status)
  end)

  it("refuses parameters out of bounds and names them", function()
    for _, bad in ipairs { { threshold = 0 }, { window_days = -1 }, { field = "open" }, { window = 10 } } do
      assert.error_matches(function() script:run(support.series("walk", { params = bad })) end, (next(bad)))
    end
  end)
end)
