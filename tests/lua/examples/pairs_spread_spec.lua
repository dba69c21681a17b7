local support = require "tests.lua.scripts.support"

describe("pairs_spread", function()
  local script = support.calculator("pairs_spread")
  support.holds_for_every_calculator("pairs_spread", "walk", { "1h" })

  it("finds the share of the benchmark's moves that a symbol makes", function()
    local series = support.series("walk")
    for i, close in ipairs(series.benchmark.close) do series.close[i] = close ^ 1.5 * (1 + 0.01 * math.sin(i)) end
    local data = script:run(series).data
    assert.near(1.5, data.hedge_ratio, 0.02)
    assert.is_true(data.correlation > 0.5)
    assert.is_true(data.unit_root_t < -3.34)
    assert.equal("fair", data.state)
  end)

  it("tells what comes back from what does not", function()
    local tied, walks = script:run(support.series("tied")).data, script:run(support.series("walk")).data
    assert.is_true(tied.unit_root_t < -3.34)
    assert.is_true(walks.unit_root_t > -3.34)
    assert.near(0.8, tied.hedge_ratio, 0.1)
    assert.near(-math.log(2) / math.log(0.9), tied.half_life, 3)
  end)

  it("calls a symbol rich or cheap by its z-score", function()
    local function state(shift)
      local series = support.series("tied")
      local n = #series.close
      series.close[n] = series.close[n] * shift
      local data = script:run(series).data
      return data.state, data.z_score
    end
    assert.equal("rich", (state(1.1)))
    assert.equal("cheap", (state(0.9)))
    local series = support.series("tied", { params = { entry = 0.1 } })
    assert.are_not.equal("fair", script:run(series).data.state)
  end)

  it("does not make neighbours of bars on both sides of a hole", function()
    local whole, torn = support.series("walk"), support.series("walk")
    local n = #torn.time
    for _, bars in ipairs { torn, torn.benchmark } do
      for i = 200, n do bars.time[i] = bars.time[i] + 5 * 3600e6 end
    end
    local before, after = script:run(whole), script:run(torn)
    assert.equal("gap", after.status)
    assert.equal(before.data.hedge_ratio, after.data.hedge_ratio)
    assert.equal(before.data.z_score, after.data.z_score)
    assert.are_not.equal(before.data.half_life, after.data.half_life)
    assert.are_not.equal(before.data.unit_root_t, after.data.unit_root_t)
  end)

  it("loses only its place with a missing last close", function()
    local series = support.series("walk")
    series.close[#series.close] = 0 / 0
    assert.same({ spread = "missing", z_score = "missing", state = "missing" }, script:run(series).metadata.reasons)
  end)

  it("needs a benchmark that is another symbol, moves, and has enough bars in common", function()
    local series = support.series("walk")
    local bench = series.benchmark
    series.benchmark = support.slice(bench, 390, 400)
    assert.equal("too_few", script:run(series).metadata.reasons.hedge_ratio)
    series.benchmark = support.slice(bench, 1, 400)
    for i = 1, 400 do series.benchmark.close[i] = 7 end
    assert.equal("flat", script:run(series).metadata.reasons.hedge_ratio)
    series.benchmark = nil
    assert.equal("no_benchmark", script:run(series).metadata.reasons.state)
    local own = support.series("walk", { symbol = "BTCUSDT" })
    own.benchmark = support.series("walk")
    own.benchmark.symbol, own.benchmark.benchmark = "BTCUSDT", nil
    assert.equal("is_benchmark", script:run(own).metadata.reasons.hedge_ratio)
  end)

  it("says straight where the line leaves nothing over", function()
    local series = support.series("walk")
    for i, close in ipairs(series.benchmark.close) do series.close[i] = close end
    local result = script:run(series)
    assert.near(1, result.data.hedge_ratio, 1e-12)
    for _, field in ipairs { "z_score", "half_life", "unit_root_t", "state" } do
      assert.equal("straight", result.metadata.reasons[field], field)
    end
  end)

  it("is warming below 50 bars", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 49)).status)
    assert.equal("ok", script:run(support.slice(series, 1, 50)).status)
  end)
end)
