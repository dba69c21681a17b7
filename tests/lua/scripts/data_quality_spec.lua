local support = require "tests.lua.scripts.support"

describe("data_quality", function()
  local script = support.calculator("data_quality")
  support.holds_for_every_calculator("data_quality", "walk")

  local HOUR, START = 3600e6, 1704067200e6

  --- Bars that move by a hundredth, back and forth, each with the same volume.
  local function quiet(n)
    local bars = { close = {}, volume = {}, time = {}, period = "1h" }
    for i = 1, n do bars.close[i], bars.volume[i], bars.time[i] = 100 + i % 2, 10, START + (i - 1) * HOUR end
    return bars
  end

  local function found(bars, more)
    for k, v in pairs(more or {}) do bars[k] = v end
    return script:run(bars)
  end

  local function reasons(result)
    local out = {}
    for i, hit in ipairs(result.data.anomalies) do out[i] = ("%d %s"):format((hit.time * 1e6 - START) / HOUR + 1, hit.reason) end
    return out
  end

  it("is of the data, not of the market", function()
    assert.equal("data_quality", script:declaration().of)
  end)

  it("finds nothing where nothing is wrong: none, and not null", function()
    local result = found(quiet(60))
    assert.same({ found = 0, severity = "none", anomalies = {} }, result.data)
    assert.same({ score = "quiet" }, result.metadata.reasons)
  end)

  it("knows a bad tick when the next bar has taken it back", function()
    local bars = quiet(60)
    bars.close[60] = 150
    assert.equal(0, found(bars).data.found)
    bars = quiet(60)
    bars.close[59] = 150
    local result = found(bars)
    assert.same({ "59 bad_tick" }, reasons(result))
    local hit = result.data.anomalies[1]
    assert.same({ 150, 150, 100, "up", "high", 10 }, { hit.price, hit.observed, hit.expected, hit.direction, hit.severity, hit.threshold })
    assert.equal("high", result.data.severity)
    assert.equal(hit.score, result.data.score)
  end)

  it("tells a bad tick once", function()
    local bars = quiet(60)
    bars.close[50] = 50
    local times = 0
    for at = 45, 60 do times = times + found(bars, { as_of = START + at * HOUR }).data.found end
    assert.equal(1, times)
    assert.same({ "50 bad_tick" }, reasons(found(bars, { as_of = START + 60 * HOUR, whole = true })))
  end)

  it("does not take a jump that stays for a tick, nor one that is taken back by less than four fifths", function()
    local bars = quiet(60)
    for i = 40, 60 do bars.close[i] = bars.close[i] * 1.5 end
    assert.same({}, reasons(found(bars, { whole = true })))
    bars = quiet(60)
    bars.close[40] = bars.close[40] * math.exp(0.5)
    bars.close[41] = bars.close[40] * math.exp(-0.39)
    bars.close[42] = bars.close[41] * math.exp(-0.11)
    assert.same({}, reasons(found(bars, { whole = true })))
    bars.close[41] = bars.close[40] * math.exp(-0.41)
    assert.same({ "40 bad_tick" }, reasons(found(bars, { whole = true })))
  end)

  it("tells a hole of more than three bars, at the bar that ends it", function()
    for hole, want in pairs { [3] = {}, [4] = { "34 stale_feed" } } do
      local bars = quiet(60)
      for i = 30, 60 do bars.time[i] = bars.time[i] + hole * HOUR end
      assert.same(want, reasons(found(bars, { whole = true })))
    end
  end)

  it("tells a bar without volume where that is rare", function()
    local bars = quiet(60)
    bars.volume[60] = 0
    local hit = found(bars).data.anomalies[1]
    assert.same({ "zero_volume", 10, 0, "down", "low" }, { hit.reason, hit.expected, hit.observed, hit.direction, hit.severity })
    assert.is_nil(hit.threshold)
    for i = 1, 57, 14 do bars.volume[i] = 0 end
    assert.equal(0, found(bars).data.found)
    assert.equal(6, found(bars, { whole = true, params = { rare = 0.1 } }).data.found)
  end)

  it("tells a bar once, the worst first", function()
    local bars = quiet(60)
    for i = 30, 60 do bars.time[i] = bars.time[i] + 5 * HOUR end
    bars.volume[30] = 0
    local found_now = found(bars, { whole = true }).data.anomalies
    assert.equal(1, #found_now)
    assert.same({ "stale_feed", "zero_volume" }, { found_now[1].reason, found_now[1].details.also })
  end)

  it("finds each fault that was made, and nothing else", function()
    local result = found(support.series("faults"), { whole = true })
    assert.same({ "101 bad_tick", "121 zero_volume", "131 bad_tick", "152 stale_feed", "161 bad_tick", "218 bad_tick" }, reasons(result))
    assert.equal("zero_volume", result.data.anomalies[4].details.also)
  end)

  it("does without values that are missing, and cannot tell when most are", function()
    local bars = quiet(60)
    for i = 20, 24 do bars.close[i], bars.volume[i] = 0 / 0, 0 / 0 end
    assert.equal(0, found(bars).data.found)
    for i = 1, 59, 2 do bars.close[i] = 0 / 0 end
    assert.equal("too_few", found(bars).metadata.reasons.found)
  end)

  it("is warming below 30 bars", function()
    assert.equal("warming", found(quiet(29)).status)
    assert.equal("ok", found(quiet(30)).status)
  end)
end)
