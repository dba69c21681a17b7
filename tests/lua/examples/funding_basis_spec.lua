local support = require "tests.lua.scripts.support"

describe("funding_basis", function()
  local script = support.calculator("funding_basis")
  support.holds_for_every_calculator("funding_basis", "perpetual", { "1h" })

  local T0, HOUR = 1735689600, 3600

  --- One bar that closes at T0 + 240 h; payments every `hours` before it, the last one hour ago.
  local function input(rates, hours)
    local out = { time = { T0 + 239 * HOUR }, close = { 100 }, funding = { time = {}, rate = rates } }
    for i in ipairs(rates) do out.funding.time[i] = T0 + 239 * HOUR - (#rates - i) * hours * HOUR end
    return out
  end

  it("makes a year of the last rate by the interval of the payments", function()
    local data = script:run(input({ 0.0001, 0.0001, 0.0002 }, 8)).data
    assert.equal(0.0002, data.rate)
    assert.equal(8 * HOUR, data.interval)
    assert.near(0.02 * 3 * 365, data.annualized, 1e-12)
    assert.near(0.04, data.paid, 1e-15)
    assert.near((0.01 + 0.02) / 16 * 24 * 365, data.mean_annualized, 1e-12)   -- 16 hours between first and last
    assert.equal(3, data.payments)
    assert.equal(2 * 3, script:run(input({ 0.0001, 0.0001, 0.0002 }, 4)).data.annualized / data.annualized * 3)
  end)

  it("says how unusual the last rate is among those before it, and who paid", function()
    local data = script:run(input({ 0.0001, -0.0001, 0.0001, -0.0001, 0.0005 }, 8)).data
    assert.near(0.0005 / (0.0002 / math.sqrt(3)), data.z_score, 1e-9)
    assert.near(60, data.positive_share, 1e-12)
    assert.equal("flat", script:run(input({ 0.0001, 0.0001, 0.0001 }, 8)).metadata.reasons.z_score)
  end)

  it("leaves out what is paid at as_of itself and later", function()
    local bars = input({ 0.0001, 0.0002, 0.0003 }, 8)
    bars.funding.time[3] = T0 + 240 * HOUR
    assert.equal(0.0002, script:run(bars).data.rate)
    bars.funding.time[1] = T0 + 240 * HOUR - 30 * 24 * HOUR   -- where the span begins
    assert.equal(2, script:run(bars).data.payments)
    bars.funding.time[1] = T0 + 240 * HOUR - 30 * 24 * HOUR - 1
    assert.equal(1, script:run(bars).data.payments)
  end)

  it("measures the basis by the marks of the last hour", function()
    local bars = input({ 0.0001 }, 8)
    local last = T0 + 240 * HOUR
    bars.marks = { time = { last - 3601, last - 3600, last - 1, last }, mark_price = { 500, 100.1, 100.3, 500 },
                   index_price = { 100, 100, 100, 100 } }
    local data = script:run(bars).data
    assert.near(30, data.basis, 1e-9)
    assert.near(20, data.mean_basis, 1e-9)
    bars.marks.index_price[3] = 0 / 0
    assert.equal("index_missing", script:run(bars).metadata.reasons.basis)
  end)

  it("has a reason for each where the symbol has no funding, or no marks", function()
    local result = script:run { close = { 1 } }
    assert.equal("ok", result.status)
    assert.equal(0, result.data.payments)
    for _, field in ipairs { "rate", "interval", "annualized", "mean_annualized", "paid", "z_score", "positive_share" } do
      assert.equal("no_funding", result.metadata.reasons[field], field)
    end
    assert.equal("no_marks", result.metadata.reasons.basis)
    assert.equal(8 * HOUR, script:run(input({ 0.0001, 0.0002 }, 8)).data.interval)
    local one = script:run(input({ 0.0001 }, 8)).metadata.reasons
    assert.equal("too_few", one.interval)
    assert.equal("too_few", one.z_score)
    assert.is_nil(one.paid)
  end)

  it("asks nothing of the bars: a hole or a missing close changes no number, and it is never warming", function()
    local series = support.series("perpetual")
    local whole = script:run(series)
    series.close[#series.close] = 0 / 0
    table.remove(series.time, #series.time - 1)
    local torn = script:run(series)
    assert.are_not.equal("warming", torn.status)
    assert.same({}, support.changed(whole, torn))
  end)
end)
