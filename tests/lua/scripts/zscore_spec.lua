local support = require "tests.lua.scripts.support"

describe("zscore", function()
  local script = support.calculator("zscore")
  support.holds_for_every_calculator("zscore", "walk", {})

  it("stands by its definition: mean and deviation of all the others", function()
    local series = support.series("walk", { whole = true, params = { field = "close", threshold = 0.1 } })
    local result = script:run(series)
    local first = #series.close - 199
    assert.is_true(#result.data.anomalies > 100)
    for _, hit in ipairs(result.data.anomalies) do
      local at = (hit.time * 1e6 - series.time[1]) / 3600e6 + 1
      local sum, squares = 0, 0
      for i = first, #series.close do sum = sum + (i ~= at and series.close[i] or 0) end
      local mean = sum / 199
      for i = first, #series.close do squares = squares + (i ~= at and (series.close[i] - mean) ^ 2 or 0) end
      assert.near(mean, hit.expected, 1e-9)
      assert.near(math.abs(series.close[at] - mean) / math.sqrt(squares / 198), hit.score, 1e-9)
    end
  end)

  it("sees a bar that would hide in a deviation of its own", function()
    local close = {}
    for i = 1, 30 do close[i] = 100 + i % 2 end
    close[30] = 1e6
    local data = script:run({ close = close, params = { field = "close" } }).data
    -- with itself in the window no z-score of 30 bars is above 29 / sqrt(30)
    assert.is_true(data.score > 1e6, data.score)
    assert.equal("critical", data.severity)
  end)

  it("loses no digits beside a bar that is huge", function()
    local close = {}
    for i = 1, 40 do close[i] = 100 + i % 3 end
    close[20] = 1e12
    local found = script:run({ close = close, whole = true, params = { field = "close", threshold = 1000 } }).data.anomalies
    assert.equal(1, #found)
    local mean, squares = 0, 0
    for i = 1, 40 do mean = mean + (i ~= 20 and close[i] / 39 or 0) end
    for i = 1, 40 do squares = squares + (i ~= 20 and (close[i] - mean) ^ 2 or 0) end
    local want = (1e12 - mean) / math.sqrt(squares / 38)
    assert.near(1, found[1].score / want, 1e-12)
  end)

  it("cannot tell where nothing moves, nor of a bar whose others are all the same", function()
    assert.equal("flat", script:run(support.series("flat")).metadata.reasons.found)
    local close = {}
    for i = 1, 40 do close[i] = 100 end
    close[40] = 101
    assert.equal("missing", script:run({ close = close, params = { field = "close" } }).metadata.reasons.score)
  end)

  it("has no score where a value is missing, nor across a hole", function()
    local series = support.series("walk")
    series.close[#series.close] = 0 / 0
    assert.equal("missing", script:run(series).metadata.reasons.found)
    series = support.series("walk")
    series.time[400] = series.time[400] + 3600e6
    assert.equal("gap", script:run(series).status)
    assert.equal("missing", script:run(series).metadata.reasons.found)
    for i = 210, 330 do series.close[i] = 0 / 0 end
    assert.equal("too_few", script:run(series).metadata.reasons.found)
  end)

  it("is warming below 30 bars", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 29)).status)
    assert.equal("ok", script:run(support.slice(series, 1, 30)).status)
  end)

  it("refuses parameters out of bounds and names them", function()
    for _, bad in ipairs { { threshold = 0 }, { threshold = 1001 }, { window_days = -1 }, { window_days = 367 }, { field = "open" } } do
      assert.error_matches(function() script:run(support.series("walk", { params = bad })) end, (next(bad)))
    end
  end)
end)
