local support = require "tests.lua.scripts.support"

describe("volume", function()
  local script = support.calculator("volume")
  support.holds_for_every_calculator("volume", "walk")

  it("adds buying and selling up to the total", function()
    local data = script:run(support.series("walk")).data
    assert.near(data.total_volume, data.buy_volume + data.sell_volume, 1e-9)
    assert.near(data.volume_delta, data.buy_volume - data.sell_volume, 1e-9)
    assert.near(data.volume_delta / data.total_volume, data.delta_ratio, 1e-15)
    assert.near(data.quote_volume / data.total_volume, data.vwap, 1e-12)
  end)

  it("leaves the last bar out of the median that it is compared with", function()
    local result = script:run {
      open = { 1, 1, 1, 1, 1 }, high = { 1, 1, 1, 1, 1 }, low = { 1, 1, 1, 1, 1 }, close = { 1, 1, 1, 1, 1 },
      volume = { 2, 4, 6, 8, 100 },
    }
    assert.equal(20, result.data.volume_spike_ratio) -- 100 / the middle of 4 and 6
  end)

  it("takes the last 24 hours, or 24 bars where those are longer", function()
    for period, rows in pairs { ["1m"] = 400, ["15m"] = 96, ["1h"] = 24, ["1d"] = 24 } do
      local series = support.series("walk", { period = period })
      series.time, series.benchmark = nil, nil
      assert.equal(rows, script:run(series).metadata.rows)
    end
  end)

  it("sums only the bars that are there when there is a hole, and says so", function()
    local series = support.series("walk")
    local n, sum = #series.volume, 0
    local cut = support.slice(series, 1, n)
    for _, column in ipairs { "time", "open", "high", "low", "close", "volume", "quote_volume", "trades",
                              "taker_buy_volume" } do
      table.remove(cut[column], n - 3)
    end
    for i = n - 23, n do sum = sum + (i == n - 3 and 0 or series.volume[i]) end
    local result = script:run(cut)
    assert.equal("gap", result.status)
    assert.near(100 * 23 / 24, result.metadata.completeness, 1e-12)
    assert.near(sum, result.data.total_volume, 1e-9)
  end)

  describe("a missing value", function()
    local whole = script:run(support.series("walk"))
    local n = #support.series("walk").volume
    local taker = { "buy_volume", "delta_ratio", "sell_volume", "volume_delta" }

    local function without(column, position)
      local series = support.series("walk")
      series[column][position] = 0 / 0
      return script:run(series)
    end

    it("of taker volume takes only what needs it", function()
      local result = without("taker_buy_volume", n - 4)
      assert.same(taker, support.changed(whole, result))
      for _, field in ipairs(taker) do assert.equal("taker_volume_missing", result.metadata.reasons[field]) end
    end)

    it("of quote volume takes vwap and quote_volume", function()
      assert.same({ "quote_volume", "vwap" }, support.changed(whole, without("quote_volume", n - 4)))
    end)

    it("of trades takes trades_per_bar and average_trade", function()
      assert.same({ "average_trade", "trades_per_bar" }, support.changed(whole, without("trades", n - 4)))
    end)

    it("of volume takes the sums and leaves the averages", function()
      local result = without("volume", n - 4)
      assert.equal("volume_missing", result.metadata.reasons.total_volume)
      assert.equal("volume_missing", result.metadata.reasons.delta_ratio)
      assert.is_number(result.data.volume_sma)
      assert.is_number(result.data.volume_ema)
      assert.is_number(result.data.volume_zscore)
    end)

    it("before the window changes nothing", function()
      assert.same({}, support.changed(whole, without("volume", n - 24)))
    end)
  end)

  describe("where bars do not say what takers bought", function()
    local function without(options)
      local series = support.series("walk", options)
      series.taker_buy_volume = nil
      return script:run(series)
    end

    it("counts single trades when they cover the window", function()
      local result = without { signed_trades = { buy = 700, sell = 500 } }
      assert.equal(700, result.data.buy_volume)
      assert.equal(500, result.data.sell_volume)
      assert.equal(200, result.data.volume_delta)
      assert.near(200 / result.data.total_volume, result.data.delta_ratio, 1e-15)
    end)

    it("says taker_volume_missing when they do not", function()
      assert.equal("taker_volume_missing", without({}).metadata.reasons.volume_delta)
      assert.is_nil(without({}).data.volume_delta)
    end)

    it("prefers the bars when they say it", function()
      local bars = script:run(support.series("walk"))
      local both = script:run(support.series("walk", { signed_trades = { buy = 1, sell = 2 } }))
      assert.same({}, support.changed(bars, both))
    end)
  end)

  it("is warming below 5 bars and answers with 5", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 4)).status)
    assert.same({}, script:run(support.slice(series, 1, 4)).data)
    local five = script:run(support.slice(series, 1, 5))
    assert.equal("ok", five.status)
    assert.near(100 * 5 / 24, five.metadata.completeness, 1e-12)
    assert.is_number(five.data.volume_spike_ratio)
  end)

  it("has no parameters", function()
    local series = support.series("walk", { params = { window = 20 } })
    assert.error_matches(function() script:run(series) end, "window")
  end)
end)
