local support = require "tests.lua.scripts.support"

describe("har_rv", function()
  local script = support.calculator("har_rv")
  support.holds_for_every_calculator("har_rv", "cycle", { "1h" })

  --- 12 h bars: day d moves up and down again by size(d); returns of ln price.
  local function days(n, size)
    local input = { period = "12h", close = { 100 }, params = { week = 2, month = 3 } }
    for d = 1, n do
      input.close[2 * d] = 100 * math.exp(size(d))
      input.close[2 * d + 1] = 100
    end
    return input
  end

  it("is the root of the sum of squares of a day, and means of days", function()
    local data = script:run(days(60, function(d) return 0.01 + 0.001 * (d * 7 % 5) end)).data
    local function rv(d) return math.sqrt(2) * (0.01 + 0.001 * (d * 7 % 5)) end
    assert.near(rv(60), data.day, 1e-12)
    assert.near((rv(60) + rv(59)) / 2, data.week, 1e-12)
    assert.near((rv(60) + rv(59) + rv(58)) / 3, data.month, 1e-12)
    assert.near(data.forecast * math.sqrt(365), data.forecast_annualized, 1e-12)
  end)

  it("finds the rule that the days were made by, and goes on with it", function()
    -- Deviations d[t] = a d[t-1] + b d[t-2] + c d[t-3] with roots 0.99 exp(+-i) and 0.97: they swing for long.
    local turn = 2 * 0.99 * math.cos(1)
    local a, b, c = turn + 0.97, -0.99 ^ 2 - 0.97 * turn, 0.97 * 0.99 ^ 2
    local made = { 0.028, 0.015, 0.023 }
    for d = 4, 121 do made[d] = 0.02 + a * (made[d - 1] - 0.02) + b * (made[d - 2] - 0.02) + c * (made[d - 3] - 0.02) end
    local data = script:run(days(120, function(d) return made[d] / math.sqrt(2) end)).data
    assert.near(3 * c, data.beta_month, 1e-6)             -- means of 3 and of 2 days share out the three weights
    assert.near(2 * (b - c), data.beta_week, 1e-6)
    assert.near(a - b, data.beta_day, 1e-6)
    assert.near(1, data.r_squared, 1e-9)
    assert.near(made[121], data.forecast, 1e-9)
  end)

  it("leaves out a day with a hole in it, and the day after one", function()
    local whole, torn = support.series("cycle"), support.series("cycle")
    local n = #torn.time
    for i = 1, n - 500 do torn.time[i] = torn.time[i] - 3600e6 end        -- one bar is not there
    local before, after = script:run(whole), script:run(torn)
    assert.equal("gap", after.status)
    assert.equal(before.data.day, after.data.day)
    assert.is_true(after.data.days < before.data.days)
  end)

  it("has no last day where one of its closes is missing, and no forecast", function()
    local series = support.series("cycle")
    series.close[#series.close - 5] = 0 / 0
    local result = script:run(series)
    assert.equal("too_few", result.metadata.reasons.day)
    assert.equal("too_few", result.metadata.reasons.forecast)
    assert.is_number(result.data.beta_day)
    assert.is_number(result.data.week)
  end)

  it("says flat where nothing moves, no_intraday where bars are days", function()
    assert.equal("flat", script:run(support.series("flat")).metadata.reasons.forecast)
    assert.equal("no_intraday", script:run(support.series("trending")).metadata.reasons.forecast)
    assert.equal("no_intraday", script:run(support.series("trending")).metadata.reasons.day)
  end)

  it("says too_few below thirty days to fit to, and is never warming", function()
    local size = function(d) return 0.01 + 0.001 * (d * d % 11) end
    local few, enough = script:run(days(32, size)), script:run(days(33, size))
    assert.are_not.equal("warming", few.status)
    assert.equal("too_few", few.metadata.reasons.forecast)
    assert.equal(30, enough.data.days)
    assert.is_number(enough.data.forecast)
  end)
end)
