local support = require "tests.lua.scripts.support"

describe("trend", function()
  local script = support.calculator("trend")
  support.holds_for_every_calculator("trend", "walk")

  --- A window whose closes are given; each bar opens where the one before closed.
  local function closes(list)
    local bars = { open = {}, high = {}, low = {}, close = list, volume = {} }
    for i, close in ipairs(list) do
      local open = list[i - 1] or close
      bars.open[i], bars.high[i], bars.low[i], bars.volume[i] = open, math.max(open, close), math.min(open, close), 1
    end
    return bars
  end

  local function line(n, from, step)
    local list = {}
    for i = 1, n do list[i] = from + step * i end
    return list
  end

  it("calls a rise bullish: all gains, straight up, price above its averages", function()
    local data = script:run(closes(line(80, 100, 1))).data
    assert.equal("bullish", data.crossover_signal)
    assert.equal(100, data.rsi)
    assert.equal(100, data.rsi_cutler)
    assert.equal(100, data.directional_strength)
    assert.near(1, data.efficiency_ratio, 1e-15)
    assert.near(100, data.adx, 1e-9)
    assert.equal(0, data.minus_di)
    assert.near(180 - 9.5, data.sma, 1e-12)
    assert.near(100 * (180 / 170 - 1), data.rate_of_change, 1e-12)
    assert.equal(180, data.donchian_high)
    assert.equal(160, data.donchian_low)
    assert.near(1, data.atr, 1e-12)
  end)

  it("calls a fall bearish, the mirror of it", function()
    local data = script:run(closes(line(80, 200, -1))).data
    assert.equal("bearish", data.crossover_signal)
    assert.near(0, data.rsi, 1e-12)
    assert.near(0, data.rsi_cutler, 1e-12)
    assert.equal(0, data.plus_di)
    assert.is_true(data.slope < 0 and data.slope_t < -100)
  end)

  it("says neutral, 50 and no strength where nothing moves", function()
    local result = script:run(closes(line(80, 0.1, 0)))
    assert.equal("neutral", result.data.crossover_signal)
    assert.equal(50, result.data.rsi)
    assert.equal(50, result.data.rsi_cutler)
    assert.equal(0, result.data.adx)
    assert.equal(0, result.data.slope)
    assert.equal("flat", result.metadata.reasons.efficiency_ratio)
    assert.equal("straight", result.metadata.reasons.slope_t)
    assert.equal("no_cross", result.metadata.reasons.bars_since_cross)
  end)

  it("sees the bar on which the averages cross, and counts from there", function()
    local list = line(70, 100, -1)
    local turned
    for i = 71, 130 do
      list[i] = list[i - 1] + 3
      local result = script:run(closes(list))
      if result.data.crossover_event then
        assert.is_nil(turned)
        turned = i
        assert.equal("bullish", result.data.crossover_event)
      end
      if turned then assert.equal(i - turned, result.data.bars_since_cross) end
      assert.equal(turned and "bullish" or "bearish", result.data.crossover_signal)
    end
    assert.is_truthy(turned)
  end)

  describe("rolling_beta", function()
    it("is 1 for the benchmark itself", function()
      local series = support.series("walk", { symbol = "BTCUSDT" })
      series.benchmark = support.series("walk")
      series.benchmark.symbol, series.benchmark.benchmark = "BTCUSDT", nil
      assert.equal(1, script:run(series).data.rolling_beta)
    end)

    it("is 2 for twice its moves", function()
      local series = support.series("walk")
      local bench = support.series("walk").benchmark
      for i, close in ipairs(bench.close) do series.close[i] = close ^ 2 end
      assert.near(2, script:run(series).data.rolling_beta, 1e-12)
    end)

    it("needs a benchmark, and 20 common returns", function()
      local series = support.series("walk")
      local bench = series.benchmark
      series.benchmark = nil
      assert.equal("no_benchmark", script:run(series).metadata.reasons.rolling_beta)
      series.benchmark = support.slice(bench, 385, 400)
      assert.equal("too_few", script:run(series).metadata.reasons.rolling_beta)
    end)
  end)

  it("looks through a hole with prices, not with returns", function()
    local series = support.series("gaps")
    local closed = support.series("gaps")
    for i in ipairs(closed.time) do closed.time[i] = closed.time[1] + (i - 1) * 3600e6 end
    closed.benchmark, series.benchmark = nil, nil
    assert.equal("gap", script:run(series).status)
    assert.same({}, support.changed(script:run(series), script:run(closed)))
  end)

  describe("a missing close", function()
    local whole = script:run(support.series("walk"))
    local n = #support.series("walk").close

    it("100 bars ago touches only what remembers so long", function()
      local series = support.series("walk")
      series.close[n - 100] = 0 / 0
      local result = script:run(series)
      local touched = {}
      for _, field in ipairs(support.changed(whole, result)) do touched[field] = true end
      for _, field in ipairs { "sma", "wma", "rate_of_change", "directional_strength", "crossover_signal", "rsi_cutler",
                               "donchian_high", "donchian_low", "efficiency_ratio", "slope", "slope_t" } do
        assert.is_nil(touched[field], field)
      end
      assert.is_true(touched.rolling_beta)
    end)

    it("in the recent bars leaves a number for all but the change over it", function()
      local series = support.series("walk")
      series.close[n - 10] = 0 / 0
      local result = script:run(series)
      assert.equal("missing", result.metadata.reasons.rate_of_change)
      for _, field in ipairs { "sma", "wma", "rsi", "rsi_cutler", "macd", "atr", "adx", "efficiency_ratio",
                               "slope_t" } do
        assert.is_number(result.data[field], field)
      end
    end)

    it("in the last bar is said, not papered over with an older value", function()
      local series = support.series("walk")
      series.close[n] = 0 / 0
      local result = script:run(series)
      for _, field in ipairs { "rsi", "rsi_cutler", "macd", "atr", "adx", "efficiency_ratio", "rate_of_change",
                               "crossover_signal" } do
        assert.equal("missing", result.metadata.reasons[field], field)
      end
    end)
  end)

  it("is warming below 50 bars and answers with 50", function()
    local series = support.series("walk")
    local short = script:run(support.slice(series, 1, 49))
    assert.equal("warming", short.status)
    assert.same({}, short.data)
    local fifty = script:run(support.slice(series, 1, 50))
    assert.is_number(fifty.data.adx)
    assert.is_number(fifty.data.macd_histogram)
    assert.is_truthy(fifty.data.crossover_signal)
  end)

  it("has no parameters", function()
    local series = support.series("walk", { params = { fast = 12 } })
    assert.error_matches(function() script:run(series) end, "fast")
  end)
end)
