local support = require "tests.lua.scripts.support"

describe("volume_profile", function()
  local script = support.calculator("volume_profile")
  support.holds_for_every_calculator("volume_profile", "walk", { "1h" })

  --- Bars { low, high, volume }, and ten without volume, so that there are enough.
  local function bars(list, params)
    local out = { high = {}, low = {}, close = {}, volume = {}, params = params }
    for i = 1, 10 do out.high[i], out.low[i], out.close[i], out.volume[i] = list[1][2], list[1][1], list[1][1], 0 end
    for _, bar in ipairs(list) do
      local n = #out.high + 1
      out.low[n], out.high[n], out.close[n], out.volume[n] = bar[1], bar[2], (bar[1] + bar[2]) / 2, bar[3]
    end
    return out
  end

  it("spreads a bar's volume evenly over its range", function()
    local data = script:run(bars({ { 0, 8, 8 }, { 2, 4, 10 } }, { rows = 4 })).data
    assert.same({ 2, 12, 2, 2 }, data.profile)
    assert.equal(3, data.point_of_control)
    assert.near(100 * 12 / 18, data.control_share, 1e-12)
    assert.equal(0, data.low)
    assert.equal(2, data.row_height)
  end)

  it("grows the value area by the fuller neighbour, upward where both are alike", function()
    local function area(share)
      local data = script:run(bars({ { 0, 8, 8 }, { 2, 4, 10 }, { 0, 2, 1 } }, { rows = 4, share = share })).data   -- 3, 12, 2, 2
      return { data.value_area_low, data.value_area_high }
    end
    assert.same({ 2, 4 }, area(50))
    assert.same({ 0, 4 }, area(70))
    assert.same({ 0, 6 }, area(85))
    assert.same({ 0, 8 }, area(100))
    local alike = script:run(bars({ { 0, 8, 8 }, { 2, 4, 10 } }, { rows = 4, share = 70 })).data
    assert.same({ 2, 6 }, { alike.value_area_low, alike.value_area_high })
  end)

  it("puts a bar without range into the row that holds its price, the highest price into the last", function()
    local data = script:run(bars({ { 0, 8, 8 }, { 4, 4, 5 }, { 8, 8, 7 } }, { rows = 4 })).data
    assert.same({ 2, 2, 7, 9 }, data.profile)
  end)

  it("adds up to the volume", function()
    local result = script:run(support.series("walk", { params = { rows = 37 } }))
    local sum, total, series = 0, 0, support.series("walk")
    for _, volume in ipairs(result.data.profile) do sum = sum + volume end
    for i = #series.volume - result.metadata.rows + 1, #series.volume do total = total + series.volume[i] end
    assert.equal(37, #result.data.profile)
    assert.near(total, sum, 1e-8)
  end)

  it("tells what it has behind a hole", function()
    local result = script:run(support.series("gaps"))
    assert.equal("gap", result.status)
    assert.is_number(result.data.point_of_control)
  end)

  it("is nothing where a volume or a price is missing, or nothing was traded, or all at one price", function()
    local function reason(change)
      local series = support.series("walk")
      change(series, #series.close)
      return script:run(series).metadata.reasons.profile
    end
    assert.equal("volume_missing", reason(function(s, n) s.volume[n - 5] = 0 / 0 end))
    assert.equal("missing", reason(function(s, n) s.low[n - 5] = 0 / 0 end))
    assert.equal("zero_volume", script:run(support.series("silent")).metadata.reasons.point_of_control)
    assert.equal("flat", script:run(support.series("flat")).metadata.reasons.point_of_control)
    local series = support.series("walk")
    series.close[#series.close] = 0 / 0
    assert.same({ position = "missing" }, script:run(series).metadata.reasons)
  end)

  it("is warming below 10 bars", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 9)).status)
    assert.equal("ok", script:run(support.slice(series, 1, 10)).status)
  end)
end)
