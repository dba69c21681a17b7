local support = require "tests.lua.scripts.support"

describe("volatility", function()
  local script = support.calculator("volatility")
  support.holds_for_every_calculator("volatility", "walk")

  it("annualises by the bars in a year of its period, or by 252 as the original did", function()
    for period, bars in pairs { ["1m"] = 365 * 1440, ["1h"] = 8760, ["4h"] = 2190, ["1d"] = 365 } do
      local series = support.series("walk", { period = period, benchmark = false })
      series.time = nil -- one after the other
      local data = script:run(series).data
      assert.equal(math.sqrt(bars), data.annualization_factor)
      assert.near(data.rolling_stddev * math.sqrt(bars), data.annualized, 1e-15)
      assert.near(data.parkinson * math.sqrt(bars), data.parkinson_annualized, 1e-15)
      assert.near(data.garman_klass * math.sqrt(bars), data.garman_klass_annualized, 1e-15)
      series.params = { annualization = "legacy252" }
      assert.equal(math.sqrt(252), script:run(series).data.annualization_factor)
    end
  end)

  it("splits the mean square of the returns into downside and upside", function()
    local series, sum = support.series("walk"), 0
    local n = #series.close
    for i = n - 19, n do sum = sum + math.log(series.close[i] / series.close[i - 1]) ^ 2 end
    local data = script:run(series).data
    assert.near(sum / 20, data.downside ^ 2 + data.upside ^ 2, 1e-16)
  end)

  it("counts a return across a hole as missing, never as a big one", function()
    local series = support.series("walk")
    local n = #series.close
    for i = n - 5, n do series.time[i] = series.time[i] + 3600e6 end -- one bar is not there
    for i = n - 5, n do -- and the price has doubled meanwhile
      for _, column in ipairs { "open", "high", "low", "close" } do series[column][i] = 2 * series[column][i] end
    end
    local result, calm = script:run(series), script:run(support.series("walk"))
    assert.equal("gap", result.status)
    assert.equal(1, result.metadata.gaps)
    assert.equal(1, result.metadata.missing)
    for _, field in ipairs { "rolling_stddev", "yang_zhang", "ewma", "upside", "downside", "vov" } do
      assert.is_true(result.data[field] < 1.5 * calm.data[field], field)
    end
  end)

  describe("a missing close", function()
    local whole = script:run(support.series("walk"))
    local n = #support.series("walk").close

    it("100 bars ago touches only what looks back so far", function()
      local series = support.series("walk")
      series.close[n - 100] = 0 / 0
      for _, field in ipairs(support.changed(whole, script:run(series))) do
        assert.is_true(field == "ewma" or field == "percentile", field)
      end
    end)

    it("30 bars ago touches the history of the deviation too", function()
      local series = support.series("walk")
      series.close[n - 30] = 0 / 0
      local changed = {}
      for _, field in ipairs(support.changed(whole, script:run(series))) do
        changed[field] = true
        assert.is_true(field == "ewma" or field == "percentile" or field == "vov", field)
      end
      assert.is_true(changed.vov)
    end)

    it("in the window leaves every number there, and Parkinson alone", function()
      local series = support.series("walk")
      series.close[n - 5] = 0 / 0
      local result = script:run(series)
      assert.same({}, result.metadata.reasons)
      assert.equal(whole.data.parkinson, result.data.parkinson)
      for field, value in pairs(whole.data) do
        assert.is_true(math.abs(result.data[field] / value - 1) < 0.3, field)
      end
    end)
  end)

  describe("a window that is too short", function()
    it("is warming with all fields null below window + 1 bars", function()
      for _, case in ipairs { { 20, {} }, { 50, { window = 50 } } } do
        local series = support.slice(support.series("walk", { params = case[2] }), 1, case[1])
        local result = script:run(series)
        assert.equal("warming", result.status)
        assert.same({}, result.data)
        assert.is_truthy(result.metadata.reasons.rolling_stddev)
      end
    end)

    it("answers from window + 1 bars on, without vov up to twice the window", function()
      local series = support.series("walk")
      assert.equal("too_few", script:run(support.slice(series, 1, 39)).metadata.reasons.vov)
      assert.is_number(script:run(support.slice(series, 1, 40)).data.vov)
      assert.is_number(script:run(support.slice(series, 1, 21)).data.rolling_stddev)
    end)
  end)

  it("asks for 90 days, 120 bars, or twice the window", function()
    local function expected(period, params)
      local series = support.series("walk", { period = period, params = params })
      series.time, series.benchmark = nil, nil
      return script:run(series).metadata.expected
    end
    assert.equal(129600, expected("1m"))
    assert.equal(2160, expected("1h"))
    assert.equal(120, expected("1d"))
    assert.equal(180, expected("1d", { window = 90 }))
  end)

  it("refuses parameters out of bounds and names them", function()
    local series = support.series("walk")
    for _, bad in ipairs { { window = 1 }, { window = 5001 }, { window = 2.5 }, { window = "x" },
                           { annualization = "lunar" }, { windows = 20 } } do
      series.params = bad
      assert.error_matches(function() script:run(series) end, (next(bad)))
    end
  end)
end)
