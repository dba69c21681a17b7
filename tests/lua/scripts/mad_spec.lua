local support = require "tests.lua.scripts.support"

describe("mad", function()
  local script = support.calculator("mad")
  support.holds_for_every_calculator("mad", "walk")

  local function anomalies(input)
    input.whole = true
    return script:run(input).data.anomalies
  end

  --- A bar whose close jumps by `times` the standard deviation of the walk's returns, and all that follow with it.
  local function jump(series, at, times)
    for i = at, #series.close do series.close[i] = series.close[i] * math.exp(0.01 * times) end
    return series
  end

  it("finds a jump, says where, by how much and in which direction", function()
    for _, case in ipairs { { 12, "up" }, { -12, "down" } } do
      local series = jump(support.series("walk"), 350, case[1])
      local found
      for _, hit in ipairs(anomalies(series)) do
        if hit.time * 1e6 == series.time[350] then found = hit end
      end
      assert.equal(case[2], found.direction)
      assert.equal("critical", found.severity)
      assert.equal("statistical_outlier", found.reason)
      assert.equal(series.close[350], found.price)
      assert.near(math.log(series.close[350] / series.close[349]), found.observed, 1e-12)
      assert.is_true(found.score > 8 and found.score < 16, found.score)
      assert.equal(3.5, found.threshold)
    end
  end)

  it("tells of the newest bar only when it is scheduled, and once", function()
    local series = jump(support.series("walk"), 390, 12)
    local step, at = 3600e6, series.time[390]
    local function found(bars)
      local input = jump(support.series("walk"), 390, 12)
      input.as_of = at + (bars + 1) * step
      return script:run(input).data
    end
    assert.equal(0, found(-1).found)
    assert.same({ found = 1, severity = "critical" }, { found = found(0).found, severity = found(0).severity })
    assert.equal(at, found(0).anomalies[1].time * 1e6)
    assert.same({ found = 0, severity = "none", anomalies = {} },
      { found = found(1).found, severity = found(1).severity, anomalies = found(1).anomalies })
    assert.is_true(found(1).score < 3.5)
  end)

  it("is not a hit at the threshold itself", function()
    local data = script:run(support.series("walk")).data
    local function at(threshold) return script:run(support.series("walk", { params = { threshold = threshold } })).data.found end
    assert.is_true(data.score > 0.1)
    assert.equal(0, at(data.score))
    assert.equal(1, at(data.score * (1 - 1e-12)))
  end)

  it("has no score across a hole, and says nothing of the newest bar then", function()
    local series = support.series("walk")
    series.time[400] = series.time[400] + 3 * 3600e6
    local result = script:run(series)
    assert.equal("gap", result.status)
    assert.same({}, result.data)
    assert.same({ found = "missing", score = "missing", severity = "missing", anomalies = "missing" }, result.metadata.reasons)
    series.whole = true
    result = script:run(series)
    assert.is_number(result.data.found)
    assert.same({ score = "missing", severity = "missing" }, result.metadata.reasons)
  end)

  it("does without bars whose value is missing", function()
    local series = support.series("walk")
    for i = 250, 290 do series.close[i] = 0 / 0 end
    assert.equal("ok", script:run(series).status)
    assert.is_number(script:run(series).data.score)
    for i = 210, 330 do series.close[i] = 0 / 0 end
    assert.equal("too_few", script:run(series).metadata.reasons.found)
  end)

  it("cannot tell where nothing moves", function()
    assert.same({ found = "flat", score = "flat", severity = "flat", anomalies = "flat" }, script:run(support.series("flat")).metadata.reasons)
  end)

  it("stands by the mean deviation where more than half of the bars are the same", function()
    local close = {}
    for i = 1, 100 do close[i] = 100 end
    for _, i in ipairs { 20, 40, 60 } do close[i] = 101 end
    close[80] = 150
    local found = anomalies { close = close, params = { field = "close" } }
    assert.equal(1, #found)
    assert.near(50 / ((3 + 50) / 100 / 0.7979), found[1].score, 1e-9)
  end)

  it("is warming below 30 bars", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 29)).status)
    assert.same({}, script:run(support.slice(series, 1, 29)).data)
    assert.equal("ok", script:run(support.slice(series, 1, 30)).status)
  end)

  it("looks at 7 days and 200 bars, or at the days that are asked for", function()
    local window = { [0] = "200h", [1] = "30h", [2] = "2d", [7] = "7d", [16] = "16d" }
    for days, want in pairs { [0] = 200, [1] = 30, [2] = 48, [7] = 168, [16] = 384 } do
      local metadata = script:run(support.series("walk", { params = { window_days = days } })).metadata
      assert.equal(want, metadata.expected)
      assert.equal(window[days], metadata.window)
    end
    local daily = script:run(support.series("trending", { params = { window_days = 7 } })).metadata
    assert.same({ 30, "30d" }, { daily.expected, daily.window })
  end)

  it("refuses parameters out of bounds and names them", function()
    for _, bad in ipairs { { threshold = 0 }, { threshold = 1001 }, { window_days = -1 }, { window_days = 367 }, { window_days = 0.5 },
                           { field = "open" }, { window = 20 } } do
      assert.error_matches(function() script:run(support.series("walk", { params = bad })) end, (next(bad)))
    end
  end)
end)
