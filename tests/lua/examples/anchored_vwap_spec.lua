local support = require "tests.lua.scripts.support"

describe("anchored_vwap", function()
  local script = support.calculator("anchored_vwap")
  support.holds_for_every_calculator("anchored_vwap", "walk", { "1h" })

  --- Hourly bars at one price each, volume 1, from `start` on.
  local function bars(start, prices)
    local out = { start = start, close = prices, quote_volume = prices, volume = {} }
    for i in ipairs(prices) do out.volume[i] = 1 end
    return out
  end

  local function counting(n)
    local list = {}
    for i = 1, n do list[i] = i end
    return list
  end

  it("is the mean of what was paid since midnight", function()
    local data = script:run(bars("2025-03-01", counting(30))).data   -- 24 of the first day, 6 of the second
    assert.equal(6, data.bars)
    assert.near((25 + 30) / 2, data.vwap, 1e-12)
    assert.near(math.sqrt(35 / 12), data.deviation, 1e-12)           -- of six numbers in a row
    assert.near(data.vwap + 2 * data.deviation, data.upper, 1e-12)
    assert.near((30 - data.vwap) / data.deviation, data.z_score, 1e-12)
    assert.equal(6, data.volume)
  end)

  it("counts the bar that ends at midnight to the day that it ends", function()
    assert.equal(24, script:run(bars("2025-03-01", counting(24))).data.bars)
    assert.equal(1, script:run(bars("2025-03-01", counting(25))).data.bars)
  end)

  it("finds Mondays and firsts of months, leap days and century years among them", function()
    local function since(anchor, start, hours)
      local input = bars(start, counting(hours))
      input.params = { anchor = anchor }
      return script:run(input).data.bars
    end
    assert.equal(1, since("week", "2025-03-02T23:00:00Z", 2))    -- Sunday 23:00, Monday 00:00
    assert.equal(2, since("week", "2025-03-08T23:00:00Z", 2))    -- Saturday, Sunday
    assert.equal(1, since("month", "2024-02-29T23:00:00Z", 2))
    assert.equal(2, since("month", "2024-02-28T23:00:00Z", 2))
    assert.equal(1, since("month", "2023-02-28T23:00:00Z", 2))
    assert.equal(1, since("month", "2000-02-29T23:00:00Z", 2))
    assert.equal(1, since("month", "2024-12-31T23:00:00Z", 2))
    assert.equal(1, since("month", "2025-04-30T23:00:00Z", 2))
    assert.equal(2, since("month", "2025-05-30T23:00:00Z", 2))
  end)

  it("takes what is there on both sides of a hole, and says so", function()
    local input = bars("2025-03-01", { 1, 2, 6 })
    input.time = { "2025-03-01T00:00:00Z", "2025-03-01T01:00:00Z", "2025-03-01T05:00:00Z" }
    local result = script:run(input)
    assert.equal("gap", result.status)
    assert.equal(3, result.data.vwap)
  end)

  it("gives a bar without trades no weight", function()
    local input = bars("2025-03-01", { 1, 0, 3 })
    input.volume[2] = 0
    assert.equal(2, script:run(input).data.vwap)
    assert.equal(1, script:run(input).data.deviation)
  end)

  it("has no sum where a value is missing, and keeps the volume where only the value is", function()
    local input = bars("2025-03-01", { 1, 2, 3 })
    input.quote_volume = { 1, 0 / 0, 3 }
    local result = script:run(input)
    assert.equal("quote_volume_missing", result.metadata.reasons.vwap)
    assert.equal(3, result.data.volume)
    input.volume[1] = 0 / 0
    assert.equal("volume_missing", script:run(input).metadata.reasons.volume)
    input = bars("2025-03-01", { 1, 2, 3 })
    input.close = { 1, 2, 0 / 0 }
    assert.same({ z_score = "missing", distance = "missing" }, script:run(input).metadata.reasons)
    assert.equal("zero_volume", script:run(support.series("silent")).metadata.reasons.vwap)
  end)

  it("answers with the first bar, which has no deviation, and is never warming", function()
    local result = script:run(bars("2025-03-01", { 5 }))
    assert.equal("ok", result.status)
    assert.equal(5, result.data.vwap)
    assert.same({ z_score = "flat" }, result.metadata.reasons)
    assert.are_not.equal("warming", result.status)
  end)

  it("names an anchor that it does not know", function()
    local input = bars("2025-03-01", { 1 })
    input.params = { anchor = "year" }
    assert.error_matches(function() script:run(input) end, "anchor")
  end)
end)
