local support = require "tests.lua.scripts.support"

describe("correlation", function()
  local script = support.calculator("correlation")
  support.holds_for_every_calculator("correlation", "market_walk", nil, { "market_gaps", "market_broken", "market_flat" })

  local function bars(close, first)
    local out = { close = close, time = {} }
    for i = 1, #close do out.time[i] = 1704067200 + ((first or 0) + i) * 3600 end
    return out
  end

  -- Closes of a random walk of n bars, from a generator of its own.
  local function generator(seed)
    local state = seed
    local function uniform()
      state = (state * 16807) % 2147483647
      return state / 2147483647
    end
    for _ = 1, 20 do uniform() end
    return function() return math.sqrt(-2 * math.log(uniform())) * math.cos(2 * math.pi * uniform()) end
  end

  local function walk(normal, n, sigma)
    local close, level, moves = {}, 0, {}
    for i = 1, n do
      moves[i] = sigma * normal()
      level = level + moves[i]
      close[i] = 100 * math.exp(level)
    end
    return close, moves
  end

  local function place(result, symbol)
    for i, name in ipairs(result.symbols) do
      if name == symbol then return i end
    end
  end

  it("stands by its definitions", function()
    local series = support.series("market_walk")
    local n = #series.market.BTCUSDT.close
    local x, y, mx, my = {}, {}, 0, 0
    for i = n - 718, n do
      x[#x + 1] = math.log(series.market.BTCUSDT.close[i] / series.market.BTCUSDT.close[i - 1])
      y[#y + 1] = math.log(series.market.ETHUSDT.close[i] / series.market.ETHUSDT.close[i - 1])
      mx, my = mx + x[#x] / 719, my + y[#y] / 719
    end
    local xx, yy, xy = 0, 0, 0
    for i = 1, #x do
      xx, yy, xy = xx + (x[i] - mx) ^ 2, yy + (y[i] - my) ^ 2, xy + (x[i] - mx) * (y[i] - my)
    end
    local result = script:run(series)
    local rho, eth = xy / math.sqrt(xx * yy), result.data.per_symbol.ETHUSDT
    assert.near(rho, result.data.correlation_matrix[place(result, "BTCUSDT")][place(result, "ETHUSDT")], 1e-12)
    assert.near(rho, eth.rolling_correlation, 1e-12)
    assert.near(xy / xx, eth.beta, 1e-12)
    local z = 0.5 * math.log((1 + rho) / (1 - rho)) - 1.959964 / math.sqrt(716)
    assert.near((math.exp(2 * z) - 1) / (math.exp(2 * z) + 1), eth.confidence.low, 1e-12)
    assert.equal(719, result.data.overlap[1][2])
  end)

  it("sees who is late, and by how much", function()
    local late = script:run(support.series("market_walk")).data.per_symbol.DELAYUSDT
    assert.equal(3, late.cross_correlation_lag)
    assert.is_true(late.cross_correlation > 0.8)
  end)

  it("says of the benchmark what two that move as one would show", function()
    assert.same({ rolling_correlation = 1, rolling_correlation_7d = 1, confidence = { low = 1, high = 1 }, beta = 1,
                  cross_correlation_lag = 0, cross_correlation = 1, volatility_correlation = 1 },
      script:run(support.series("market_walk")).data.per_symbol.BTCUSDT)
  end)

  it("takes BTCUSDT, else who is named, else the first symbol for its benchmark", function()
    assert.equal("BTCUSDT", script:run(support.series("market_walk", { benchmark = "ETHUSDT" })).data.benchmark)
    assert.equal("XRPUSDT", script:run(support.series("market_apart", { benchmark = "XRPUSDT" })).data.benchmark)
    assert.equal("ADAUSDT", script:run(support.series("market_apart", { benchmark = "NOUSDT" })).data.benchmark)
    assert.equal("ADAUSDT", script:run(support.series("market_apart")).metadata.benchmark)
  end)

  it("lets the window change the matrix and what comes of it, nothing that is of 30 days", function()
    local default = script:run(support.series("market_walk"))
    local other = script:run(support.series("market_walk", { params = { window = "7d" } }))
    assert.same({ "correlation_matrix", "market", "overlap", "shrinkage" }, support.changed(default, other))
    assert.same(default.data.market.breadth, other.data.market.breadth)
    assert.equal("7d", other.metadata.window)
    assert.equal("7d", script:run(support.series("market_walk", { params = { window = "168h" } })).metadata.window)
    assert.equal(167, other.data.overlap[1][1])
  end)

  it("has room for a thousand symbols in the memory of a call", function()
    local market, normal = {}, generator(3)
    local noise = walk(normal, 2000, 0.01)
    for i = 1, 1000 do
      local close = {}
      for k = 1, 721 do close[k] = noise[i + k] end
      market[("S%04dUSDT"):format(i)] = bars(close)
    end
    local result = script:run { period = "1h", market = market }
    assert.is_nil(result.metadata.error, result.metadata.error and result.metadata.error.message)
    assert.equal(1000, #result.symbols)
  end)

  it("gives ranks and the shrunk matrix on request only", function()
    local default = script:run(support.series("market_walk"))
    assert.same({ spearman_matrix = "not_asked", shrunk_matrix = "not_asked" }, default.metadata.reasons)
    local both = script:run(support.series("market_walk", { params = { spearman = true, shrunk = true } }))
    assert.same({}, both.metadata.reasons)
    local s, r = both.data.shrunk_matrix[1][2], both.data.correlation_matrix[1][2]
    assert.near((1 - both.data.shrinkage) * r, s, 1e-12)
    assert.equal(1, both.data.shrunk_matrix[1][1])
  end)

  it("repairs what gaps have torn", function()
    local torn = script:run(support.series("market_broken"))
    assert.is_true(torn.data.repaired)
    local m = torn.data.correlation_matrix
    for i = 1, 3 do assert.equal(1, m[i][i]) end
    local a, b, c = m[1][2], m[1][3], m[2][3]
    assert.is_true(1 + 2 * a * b * c - a ^ 2 - b ^ 2 - c ^ 2 > -1e-9) -- the determinant of three by three
    assert.is_false(script:run(support.series("market_walk")).data.repaired)
  end)

  describe("a hole", function()
    it("takes two returns from each pair, and the result says gap", function()
      local series = support.series("market_walk")
      for _, column in pairs(series.market.ETHUSDT) do table.remove(column, 400) end
      local result = script:run(series)
      assert.equal("gap", result.status)
      assert.same({ 1, 1 }, { result.metadata.gaps, result.metadata.missing })
      local i, j = place(result, "ETHUSDT"), place(result, "BTCUSDT")
      assert.same({ 717, 719 }, { result.data.overlap[i][j], result.data.overlap[j][j] })
    end)

    it("at the end takes a symbol out of breadth, and leaves it in the matrix", function()
      local series = support.series("market_walk")
      for _, column in pairs(series.market.ADAUSDT) do column[#column] = nil end
      local whole, cut = script:run(support.series("market_walk")), script:run(series)
      assert.equal(whole.as_of, cut.as_of)
      assert.equal("gap", cut.status)
      assert.equal(4, #cut.symbols)
      assert.is_true(math.abs(cut.data.market.breadth.advance_decline) <= 3)
    end)

    it("before the window takes a symbol out altogether", function()
      local result = script:run(support.series("market_gaps"))
      assert.is_nil(place(result, "GONEUSDT"))
      assert.is_nil(result.data.per_symbol.GONEUSDT)
    end)
  end)

  describe("a missing close", function()
    it("leaves every number there", function()
      local series = support.series("market_walk", { params = { spearman = true, shrunk = true } })
      series.market.ETHUSDT.close[500] = 0 / 0
      assert.same({}, script:run(series).metadata.reasons)
    end)
  end)

  it("says flat of what does not move and too_few of what is new", function()
    local reasons = script:run(support.series("market_gaps")).metadata.reasons
    assert.equal("flat", reasons["per_symbol.STILLUSDT.rolling_correlation"])
    assert.equal("flat", reasons["per_symbol.STILLUSDT.confidence"])
    assert.equal("too_few", reasons["per_symbol.NEWUSDT.beta"])
    local flat = script:run(support.series("market_flat"))
    assert.equal("flat", flat.metadata.reasons["per_symbol.BTCUSDT.rolling_correlation"])
    assert.equal("too_few", flat.metadata.reasons["market.mean_correlation"])
    assert.same({ above_sma50_pct = 0, advancing_pct = 0, advance_decline = 0 }, flat.data.market.breadth)
  end)

  it("is warming with one symbol, and below 21 bars", function()
    assert.equal("warming", script:run(support.series("market_single")).status)
    assert.same({}, script:run(support.series("market_single")).data)
    local series = support.series("market_walk")
    assert.equal("warming", script:run(support.slice(series, 1, 20)).status)
    assert.equal("ok", script:run(support.slice(series, 1, 21)).status)
    assert.equal("empty", script:run({ period = "1h", market = {} }).status)
  end)

  it("at 1d has 29 returns in 30 days, and none of a week", function()
    local result = script:run(support.series("market_daily"))
    assert.equal(29, result.data.overlap[1][1])
    assert.equal("too_few", result.metadata.reasons["per_symbol.ETHUSDT.rolling_correlation_7d"])
    assert.equal(50, result.metadata.expected) -- breadth looks at 50 closes
  end)

  it("refuses parameters out of bounds and names them", function()
    local series = support.series("market_walk")
    for _, bad in ipairs { { window = "10m" }, { window = "400d" }, { window = "x" }, { window = 5 }, { spearman = 1 }, { lags = 3 } } do
      series.params = bad
      assert.error_matches(function() script:run(series) end, (next(bad)))
    end
  end)

  describe("among random walks", function()
    it("of 1000 pairs of 720 bars under 1 % correlate by more than 0.5", function()
      local normal, high = generator(20240101), 0
      for _ = 1, 1000 do
        local result = script:run { period = "1h", market = { AUSDT = bars((walk(normal, 720, 0.01))), BUSDT = bars((walk(normal, 720, 0.01))) } }
        if math.abs(result.data.correlation_matrix[1][2]) > 0.5 then high = high + 1 end
      end
      assert.is_true(high < 10, high .. " of 1000")
    end)

    it("finds one that follows 5 bars later in all of 50 draws", function()
      for draw = 1, 50 do
        local normal = generator(77 * draw)
        local close = walk(normal, 725, 0.01)
        local first, late = {}, {}
        for i = 1, 720 do first[i], late[i] = close[i + 5], close[i] end
        local result = script:run { period = "1h", market = { BTCUSDT = bars(first), BUSDT = bars(late) } }
        assert.equal(5, result.data.per_symbol.BUSDT.cross_correlation_lag)
      end
    end)

    it("finds no lead where there is none, in 95 of 100", function()
      local silent = 0
      for draw = 1, 100 do
        local normal = generator(991 * draw)
        local result = script:run { period = "1h", market = { BTCUSDT = bars((walk(normal, 720, 0.01))), BUSDT = bars((walk(normal, 720, 0.01))) } }
        if result.metadata.reasons["per_symbol.BUSDT.cross_correlation_lag"] == "no_lead" then silent = silent + 1 end
      end
      assert.is_true(silent >= 95, silent .. " of 100")
    end)
  end)
end)
