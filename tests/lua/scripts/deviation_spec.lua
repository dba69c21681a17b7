local support = require "tests.lua.scripts.support"

describe("deviation", function()
  local script = support.calculator("deviation")
  support.holds_for_every_calculator("deviation", "walk")

  local LEVEL = { "bollinger_lower", "bollinger_middle", "bollinger_upper", "bollinger_width",
                  "coefficient_of_variation", "percent_b", "price_range_index", "standard_deviation", "variance",
                  "z_score" }

  it("stands by its definitions", function()
    local series = support.series("walk")
    local n, sum, squares = #series.close, 0, 0
    for i = n - 19, n do sum = sum + series.close[i] end
    local middle = sum / 20
    for i = n - 19, n do squares = squares + (series.close[i] - middle) ^ 2 end
    local sd = math.sqrt(squares / 19)
    local data = script:run(series).data
    assert.near(middle, data.bollinger_middle, 1e-10)
    assert.near(sd, data.standard_deviation, 1e-10)
    assert.near(sd ^ 2, data.variance, 1e-10)
    assert.near(middle + 2 * sd, data.bollinger_upper, 1e-10)
    assert.near((series.close[n] - middle) / sd, data.z_score, 1e-10)
    assert.near(0.5 + data.z_score / 4, data.percent_b, 1e-10)
  end)

  it("divides by n with ddof = 0, by n - 1 with 1", function()
    local sample = script:run(support.series("walk")).data
    local population = script:run(support.series("walk", { params = { ddof = 0 } })).data
    assert.near(sample.variance * 19 / 20, population.variance, 1e-12)
    assert.equal(sample.bollinger_middle, population.bollinger_middle)
    assert.equal(sample.skewness, population.skewness)
  end)

  it("lets window and ddof change only what is about the level", function()
    local default = script:run(support.series("walk"))
    local other = script:run(support.series("walk", { params = { window = 60, ddof = 0 } }))
    assert.same(LEVEL, support.changed(default, other))
  end)

  it("has no place for a close among closes that are all the same", function()
    local result = script:run(support.series("flat"))
    assert.equal(0, result.data.standard_deviation)
    assert.equal(0.5, result.data.price_range_index)
    assert.equal(0, result.data.bollinger_width)
    for _, field in ipairs { "z_score", "percent_b", "autocorrelation", "skewness", "hurst", "half_life",
                             "variance_ratio" } do
      assert.equal("flat", result.metadata.reasons[field], field)
    end
  end)

  it("does not make neighbours of returns on both sides of a hole", function()
    local series = support.series("walk")
    local n = #series.time
    for i = 200, n do series.time[i] = series.time[i] + 5 * 3600e6 end
    local whole, torn = script:run(support.series("walk")), script:run(series)
    assert.equal("gap", torn.status)
    assert.equal(5, torn.metadata.missing)
    for _, field in ipairs { "autocorrelation", "ljung_box_p", "hurst", "variance_ratio", "half_life", "skewness" } do
      assert.are_not.same(whole.data[field], torn.data[field], field)
    end
    for _, field in ipairs(LEVEL) do assert.equal(whole.data[field], torn.data[field], field) end
    -- One return is missing, so the band widens from 399 to 398 of them.
    assert.near(1.96 / math.sqrt(398), torn.data.autocorrelation_band, 1e-15)
  end)

  describe("a missing close", function()
    local whole = script:run(support.series("walk"))
    local n = #support.series("walk").close

    it("100 bars ago leaves the level as it was, bit for bit", function()
      local series = support.series("walk")
      series.close[n - 100] = 0 / 0
      local result = script:run(series)
      for _, field in ipairs(LEVEL) do assert.equal(whole.data[field], result.data[field], field) end
      assert.same({}, result.metadata.reasons)
      assert.near(1.96 / math.sqrt(397), result.data.autocorrelation_band, 1e-15) -- two returns are gone
    end)

    it("in the window leaves every number there", function()
      local series = support.series("walk")
      series.close[n - 3] = 0 / 0
      assert.same({}, script:run(series).metadata.reasons)
    end)

    it("in the last bar takes only its place among the others", function()
      local series = support.series("walk")
      series.close[n] = 0 / 0
      assert.same({ percent_b = "missing", z_score = "missing", price_range_index = "missing" },
        script:run(series).metadata.reasons)
    end)
  end)

  it("is warming below 21 bars or the window, hurst below 100 returns", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 20)).status)
    assert.same({}, script:run(support.slice(series, 1, 20)).data)
    assert.equal("ok", script:run(support.slice(series, 1, 21)).status)
    series.params = { window = 80 }
    assert.equal("warming", script:run(support.slice(series, 1, 79)).status)
    assert.equal("ok", script:run(support.slice(series, 1, 80)).status)
    series.params = nil
    assert.equal("too_few", script:run(support.slice(series, 1, 100)).metadata.reasons.hurst)
    assert.is_number(script:run(support.slice(series, 1, 101)).data.hurst)
  end)

  it("tells walks from series that come back", function()
    local walk = script:run(support.series("walk")).data
    local pulled = script:run(support.series("reverting")).data
    assert.is_true(pulled.variance_ratio["10"].ratio < 0.6)
    assert.is_true(pulled.half_life > 0 and pulled.half_life < 10)
    assert.is_true(walk.half_life == nil or walk.half_life > pulled.half_life)
    assert.is_true(walk.variance_ratio["10"].ratio > pulled.variance_ratio["10"].ratio)
  end)

  it("refuses parameters out of bounds and names them", function()
    local series = support.series("walk")
    for _, bad in ipairs { { window = 1 }, { window = 5001 }, { ddof = 2 }, { ddof = -1 }, { ddof = 0.5 },
                           { band = 2 } } do
      series.params = bad
      assert.error_matches(function() script:run(series) end, (next(bad)))
    end
  end)
end)
