local lfs = require "lfs"
local support = require "tests.lua.scripts.support"

local REGIMES = { "bullish_acceleration", "bearish_acceleration", "turbulent_illiquidity", "stable_accumulation", "breakout_phase",
                  "consolidation", "balanced_market", "transitional", "unknown" }

-- What the three levels mean, said without a table of rules.
local function meaning(volatility, volume, trend)
  if volatility == "high" and volume == "high" then
    return trend == "neutral" and "breakout_phase" or trend .. "_acceleration"
  end
  local both = { ["high low"] = "turbulent_illiquidity", ["low high"] = "stable_accumulation", ["low low"] = "consolidation",
                 ["medium medium"] = "balanced_market" }
  return both[volatility .. " " .. volume] or "transitional"
end

-- A quarter of a year of hourly bars. Returns go up and down in turn, by a size that swings between 0.3 % and 0.7 %; in the
-- last day they have the size `size` and drift by `drift`. The last bar has the volume `volume`, all others 100.
local function market(size, drift, volume)
  local input, level = { period = "1h", time = {}, open = {}, high = {}, low = {}, close = {}, volume = {} }, math.log(100)
  for i = 1, 2160 do
    local now = i > 2136 and size or 0.005 + 0.002 * math.sin(i / 50)
    local before = math.exp(level)
    level = level + (i % 2 == 0 and now or -now) + (i > 2136 and drift or 0)
    local close = math.exp(level)
    input.time[i] = 1704067200 + i * 3600
    input.open[i], input.close[i] = before, close
    input.high[i], input.low[i] = math.max(before, close), math.min(before, close)
    input.volume[i] = i == 2160 and volume or 100
  end
  return input
end

local function cut(bars, first, last)
  local out = { symbol = bars.symbol, period = bars.period }
  for _, name in ipairs { "time", "open", "high", "low", "close", "volume" } do out[name] = { unpack(bars[name], first, last) } end
  return out
end

local SIZES = { high = 0.02, medium = 0.005, low = 0.001 }
local VOLUMES = { high = 250, medium = 110, low = 40 }
local DRIFTS = { bullish = 0.5, bearish = -0.5, neutral = 0 } -- in sizes

local counts = {}
local function count(column, label)
  counts[label] = counts[label] or { generated = 0, real = 0 }
  counts[label][column] = counts[label][column] + 1
end

describe("regime", function()
  local script = support.calculator("regime")
  support.holds_for_every_calculator("regime", "walk")

  it("reaches each of the eight regimes, in all 27 cases, in a market made for it", function()
    local reached = {}
    for volatility, size in pairs(SIZES) do
      for volume, amount in pairs(VOLUMES) do
        for trend, drift in pairs(DRIFTS) do
          local result = script:run(market(size, drift * size, amount))
          local data = result.data
          assert.equal("ok", result.status)
          assert.same({ volatility, volume, trend }, { data.volatility_level, data.volume_level, data.trend_direction })
          assert.equal(meaning(volatility, volume, trend), data.regime)
          assert.is_true(data.confidence > 0.5 and data.confidence < 1, data.confidence)
          reached[data.regime] = true
          count("generated", data.regime)
        end
      end
    end
    for i = 1, 8 do assert.is_true(reached[REGIMES[i]], REGIMES[i]) end
  end)

  local folder = (os.getenv("PETROSA_DATA_DIR") or support.root .. "/../shared/data") .. "/klines/"

  -- The recorded futures: timestamp, open, high, low, close, volume, ...; the last bar was not closed.
  local function recorded(symbol, period)
    local out = { symbol = symbol, period = period, time = {}, open = {}, high = {}, low = {}, close = {}, volume = {} }
    local columns = { out.open, out.high, out.low, out.close, out.volume }
    for line in io.lines(("%sum_%s/%s_%s.csv"):format(folder, period, symbol, period)) do
      local n, i = #out.time + 1, 0
      if line:find("^%d") then
        for value in line:gmatch("[^,]+") do
          if i == 0 then out.time[n] = tonumber(value) * 1000 elseif i <= 5 then columns[i][n] = tonumber(value) end
          i = i + 1
        end
      end
    end
    for _, column in ipairs { out.time, unpack(columns) } do column[#column] = nil end
    return out
  end

  it("reaches at least four of them in recorded markets", function()
    if not lfs.attributes(folder .. "um_1h", "mode") then
      pending("no recorded data in ../shared/data or $PETROSA_DATA_DIR")
      return
    end
    local reached, different = {}, 0
    for _, symbol in ipairs { "ADAUSDT", "BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT" } do
      for period, how in pairs { ["1h"] = { rows = 2160, step = 49 }, ["1d"] = { rows = 120, step = 5 } } do
        local bars = recorded(symbol, period)
        for last = how.rows, #bars.time, how.step do
          local data = script:run(cut(bars, last - how.rows + 1, last)).data
          assert.equal(meaning(data.volatility_level, data.volume_level, data.trend_direction), data.regime)
          if not reached[data.regime] then different = different + 1 end
          reached[data.regime] = true
          count("real", data.regime)
        end
      end
    end
    assert.is_true(different >= 4, different .. " regimes in all recorded markets")
    assert.is_nil(reached.unknown)
  end)

  teardown(function()
    io.stderr:write(("  table %-24s %9s %6s\n"):format("regime", "generated", "real"))
    for _, label in ipairs(REGIMES) do
      local row = counts[label] or { generated = 0, real = 0 }
      io.stderr:write(("  table %-24s %9d %6d\n"):format(label, row.generated, row.real))
    end
  end)

  it("is least sure at a boundary", function()
    local before = 1
    for _, volume in ipairs { 400, 300, 200, 160, 151 } do
      local data = script:run(market(SIZES.high, 0, volume)).data
      assert.equal("breakout_phase", data.regime)
      assert.is_true(data.confidence <= before)
      before = data.confidence
    end
    local made = market(SIZES.high, 0, 150) -- the median is 100, and high is above 1.5
    assert.equal("transitional", script:run(made).data.regime)
    assert.equal(0.5, script:run(made).data.confidence)
  end)

  it("holds a percentile against absolute floors", function()
    local function asleep(scale) -- the same market, with returns of other size: the same percentiles
      local made = market(SIZES.high, 0, 100)
      for _, name in ipairs { "open", "high", "low", "close" } do
        for i, x in ipairs(made[name]) do made[name][i] = 100 * (x / 100) ^ scale end
      end
      return script:run(made).data
    end
    assert.equal("high", asleep(1).volatility_level)
    assert.equal("medium", asleep(0.01).volatility_level)
    assert.near(asleep(1).volatility_percentile, asleep(0.01).volatility_percentile, 1e-12)
    local calm = market(SIZES.low, 0, 100)
    assert.equal("low", script:run(calm).data.volatility_level)
    calm.params = { low_ceiling = 0.01 }
    assert.equal("medium", script:run(calm).data.volatility_level)
  end)

  it("refuses bounds that cross", function()
    for params, want in pairs {
      [{ low_percentile = 0.8 }] = "low_percentile = 0.8 is above high_percentile = 0.7",
      [{ high_volume = 0.5 }] = "low_volume = 0.7 is above high_volume = 0.5",
    } do
      local made = market(SIZES.high, 0, 100)
      made.params = params
      local result = script:run(made)
      assert.equal("error", result.status)
      assert.is_truthy(result.metadata.error.message:find(want, 1, true), result.metadata.error.message)
    end
  end)

  it("takes floors of the calendar, whatever volatility annualises by", function()
    local made = market(SIZES.high, 0, 250)
    made.metrics = {
      volatility = { rolling_stddev = 0.003, annualized = 0.003 * math.sqrt(252), percentile = 0.9 },
      volume = { volume_spike_ratio = 2 }, trend = { slope = 0, slope_t = 0.1, rate_of_change = 0 },
    }
    local data = script:run(made).data
    assert.near(0.003 * math.sqrt(8760), data.annualized, 1e-15)
    assert.equal("breakout_phase", data.regime)
    made.params = { mode = "legacy" } -- the former thresholds are for the number that volatility gives
    assert.near(0.003 * math.sqrt(252), script:run(made).data.annualized, 1e-15)
    assert.equal("low", script:run(made).data.volatility_level)
  end)

  describe("legacy", function()
    local function legacy(annualized, spike, roc)
      local made = market(SIZES.medium, 0, 100)
      made.params = { mode = "legacy" }
      made.metrics = { volatility = { annualized = annualized, rolling_stddev = 0.01, percentile = 0.5 },
                       volume = { volume_spike_ratio = spike }, trend = { rate_of_change = roc, slope = 1, slope_t = 9 } }
      return script:run(made).data
    end

    it("has the fixed thresholds, and all eight regimes in our order", function()
      for volatility, annualized in pairs { high = 0.51, medium = 0.5, low = 0.19 } do
        for volume, spike in pairs { high = 1.51, medium = 0.7, low = 0.69 } do
          for trend, roc in pairs { bullish = 2.01, bearish = -2.01, neutral = 2 } do
            local data = legacy(annualized, spike, roc)
            assert.same({ volatility, volume, trend }, { data.volatility_level, data.volume_level, data.trend_direction })
            assert.equal(meaning(volatility, volume, trend), data.regime)
          end
        end
      end
    end)

    it("is sure by the same measure", function()
      assert.equal(0.5, legacy(0.5, 2, 0).confidence)
      assert.is_true(legacy(0.6, 2, 0).confidence > 0.5)
    end)
  end)

  describe("a missing input", function()
    local function with(metrics)
      local made = market(SIZES.high, 0, 250)
      local all = { volatility = { rolling_stddev = 0.01, percentile = 0.9 }, volume = { volume_spike_ratio = 2 },
                    trend = { slope = 0.1, slope_t = 1, rate_of_change = 1 } }
      for name, data in pairs(metrics) do all[name] = data or nil end
      made.metrics = all
      return script:run(made)
    end

    it("makes the regime unknown and its level null, with a reason", function()
      assert.equal("breakout_phase", with({}).data.regime)
      for level, case in pairs {
        volatility_level = { { volatility = false }, "no_volatility" }, volume_level = { { volume = {} }, "no_volume" },
        trend_direction = { { trend = false }, "no_trend" },
      } do
        local result = with(case[1])
        assert.equal("unknown", result.data.regime)
        assert.is_nil(result.data[level])
        assert.is_nil(result.data.confidence)
        assert.equal(case[2], result.metadata.reasons[level])
        assert.equal("unknown", result.metadata.reasons.confidence)
      end
    end)

    it("is not a slope that is exactly straight: its sign decides", function()
      for direction, slope in pairs { bullish = 1e-9, bearish = -1e-9, neutral = 0 } do
        local result = with { trend = { slope = slope, rate_of_change = 1 } }
        assert.equal(direction, result.data.trend_direction)
        assert.equal("straight", result.metadata.reasons.slope_t)
        assert.is_true(result.data.confidence > 0.5)
      end
    end)

    it("of a close takes what volatility and trend say", function()
      local made = market(SIZES.high, 0, 250)
      made.close[2160] = 0 / 0
      local result = script:run(made)
      assert.equal("breakout_phase", result.data.regime) -- 19 of the last 20 are there
      assert.equal("missing", support.calculator("trend"):run(made).metadata.reasons.rate_of_change)
      assert.equal("no_trend", result.metadata.reasons.rate_of_change)
    end)
  end)

  it("wants a hundred rolling deviations for a percentile", function()
    local made = market(SIZES.high, 0, 250)
    assert.equal("breakout_phase", script:run(cut(made, 2041, 2160)).data.regime) -- 120 bars: 119 returns, 100 deviations
    local result = script:run(cut(made, 2042, 2160))
    assert.equal("ok", result.status)
    assert.equal("unknown", result.data.regime)
    assert.equal("too_few", result.metadata.reasons.volatility_level)
    assert.equal("high", result.data.volume_level)
  end)

  it("is warming below 21 bars, and has rows and completeness of volatility's window", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 20)).status)
    assert.same({}, script:run(support.slice(series, 1, 20)).data)
    local volatility = support.calculator("volatility")
    for _, name in ipairs { "walk", "gaps", "trending", "minutes" } do
      local ours, theirs = script:run(support.series(name)), volatility:run(support.series(name))
      assert.equal(theirs.status, ours.status)
      for _, field in ipairs { "rows", "expected", "gaps", "missing", "completeness", "window" } do
        assert.equal(theirs.metadata[field], ours.metadata[field], field)
      end
    end
  end)

  it("does not let a hole make returns or dispersions", function()
    local whole, torn = market(SIZES.high, 0, 250), market(SIZES.high, 0, 250)
    for i = 1001, 2160 do torn.time[i] = torn.time[i] + 24 * 3600 end
    torn.close[1001] = torn.close[1001] * 3 -- a jump over the hole would be a return of 200 %
    torn.high[1001] = torn.close[1001]
    local result = script:run(torn)
    assert.equal("gap", result.status)
    assert.equal(script:run(whole).data.regime, result.data.regime)
  end)
end)
