local support = require "tests.lua.scripts.support"

-- n hours of a quiet market: a walk of 0.4 % an hour, volume with a day of its own.
local function quiet(n, seed)
  local normal, price = support.normals(seed), 30000
  local bars = { period = "1h", start = "2024-01-01", open = {}, high = {}, low = {}, close = {}, volume = {} }
  for i = 1, n do
    bars.open[i] = price
    price = price * math.exp(0.004 * normal())
    bars.close[i] = price
    bars.high[i] = math.max(bars.open[i], price) * math.exp(0.0015 * math.abs(normal()))
    bars.low[i] = math.min(bars.open[i], price) * math.exp(-0.0015 * math.abs(normal()))
    bars.volume[i] = 100 * math.exp(0.5 * math.sin(2 * math.pi * i / 24) + 0.35 * normal())
  end
  return bars
end

-- A tick that is not true: one close is `factor` off, the next bar is back.
local function bad_tick(bars, i, factor)
  bars.close[i] = bars.close[i] * factor
  bars.open[i + 1] = bars.close[i]
  for k = i, i + 1 do
    bars.high[k] = math.max(bars.high[k], bars.close[i])
    bars.low[k] = math.min(bars.low[k], bars.close[i])
  end
end

-- The price falls by 5 % and stays there, on 15 times the volume.
local function crash(bars, i)
  for k = i, #bars.close do
    bars.close[k], bars.low[k] = bars.close[k] * 0.95, bars.low[k] * 0.95
    if k > i then bars.open[k], bars.high[k] = bars.open[k] * 0.95, bars.high[k] * 0.95 end
  end
  bars.volume[i] = bars.volume[i] * 15
end

-- A tick that was traded: off as above, on ten times the volume.
local function squeeze(bars, i)
  bad_tick(bars, i, 0.94)
  bars.volume[i] = bars.volume[i] * 10
end

describe("isolation_forest", function()
  local script = support.calculator("isolation_forest")
  support.holds_for_every_calculator("isolation_forest", "walk", {})

  local MONTHS, HOURS = 20, 1440 -- 30 days to fit on, 30 to look at
  local function month(bars, params)
    params = params or {}
    params.window_days = 30
    bars.whole, bars.params = true, params
    return script:run(bars)
  end

  it("flags under 1 % of a quiet month", function()
    local flagged = 0
    for seed = 1, MONTHS do
      local result = month(quiet(HOURS, seed * 7919))
      assert.equal("ok", result.status)
      assert.is_true(result.data.found < 0.01 * 720, result.data.found .. " of 720")
      flagged = flagged + result.data.found
    end
    assert.is_true(flagged > 0, "a detector that finds nothing at all has not looked")
  end)

  it("finds at least two of three faults in every month", function()
    for seed = 1, MONTHS do
      local bars = quiet(HOURS, seed * 7919)
      bad_tick(bars, 900, 1.06)
      crash(bars, 1100)
      squeeze(bars, 1300)
      local result, found = month(bars), 0
      assert.equal("ok", result.status)
      local start = result.as_of - HOURS * 3600
      for _, hit in ipairs(result.data.anomalies) do
        local i = (hit.time - start) / 3600 + 1
        if i == 900 or i == 1100 or i == 1300 then found = found + 1 end
      end
      assert.is_true(found >= 2, found .. " in month " .. seed)
    end
  end)

  -- The hit of a quiet market's bar 1100 after something was done to it.
  local function hit_of(change, params)
    local bars = quiet(HOURS, 5)
    change(bars, 1100)
    local result = month(bars, params)
    for _, hit in ipairs(result.data.anomalies) do
      if hit.time == result.as_of - (HOURS - 1099) * 3600 then return hit, bars end
    end
  end

  it("says what it saw and what stands out most", function()
    local hit, bars = hit_of(crash)
    assert.equal("ml_outlier", hit.reason)
    assert.equal("critical", hit.severity)
    assert.equal(bars.close[1100], hit.price)
    assert.equal(bars.volume[1100], hit.details.volume)
    local features, away = hit.details.features, hit.details.contributions
    assert.near(math.log(bars.close[1100] / bars.close[1099]), features.log_return, 1e-12)
    assert.near(math.log(bars.volume[1100] / bars.volume[1099]), features.log_volume_change, 1e-12)
    assert.near(bars.high[1100] / bars.low[1100] - 1, features.high_low_ratio, 1e-12)
    assert.is_nil(features.close) -- of the legacy features
    local far
    for name in pairs(away) do
      if not far or math.abs(away[name]) > math.abs(away[far]) then far = name end
    end
    assert.equal(features[far], hit.observed)
    assert.equal(away[far] > 0 and "up" or "down", hit.direction)
    assert.is_true(math.abs(away[far]) > 8 and away.log_return < -8)
    assert.is_true(hit.score > hit.threshold and hit.threshold == 0.65)
  end)

  it("tells up from down", function()
    assert.equal("up", hit_of(function(bars, i) bad_tick(bars, i, 1.08) end).direction)
    assert.is_nil(hit_of(function() end))
  end)

  it("takes a share of the 30 days, or a score, as the threshold", function()
    local shares = {}
    for i, share in ipairs { "0.2", "0.05", "0.01", "0.001" } do
      local result = month(quiet(HOURS, 11), { contamination = share })
      shares[i] = result.data.found / 720
      local threshold = result.data.anomalies[1] and result.data.anomalies[1].threshold
      assert.is_true(threshold == nil or threshold > 0.4 and threshold < 0.75)
    end
    assert.is_true(shares[1] > 0.1 and shares[1] < 0.4, shares[1])
    assert.is_true(shares[1] > shares[2] and shares[2] > shares[3] and shares[3] >= shares[4])
    assert.equal(720, month(quiet(HOURS, 11), { threshold = 0.01 }).data.found)
    assert.equal(0, month(quiet(HOURS, 11), { threshold = 1 }).data.found)
  end)

  it("measures severity by the scores of the 30 days", function()
    local counts = {}
    for _, hit in ipairs(month(quiet(HOURS, 11), { threshold = 0.01 }).data.anomalies) do
      counts[hit.severity] = (counts[hit.severity] or 0) + 1
    end
    assert.is_true(counts.low > 0.95 * 720 and counts.low < 720, counts.low) -- 1 % of what was fitted on is above low
  end)

  it("judges each bar by the 30 days before, not by what stands beside or after it", function()
    local function scores(change)
      local bars, out = quiet(HOURS, 21), {}
      change(bars)
      local result = month(bars, { threshold = 0.01 })
      for _, hit in ipairs(result.data.anomalies) do out[(hit.time - result.as_of) / 3600 + HOURS + 1] = hit.score end
      return out
    end
    local plain = scores(function() end)
    local faulty = scores(function(bars)
      for i = 1200, HOURS - 1 do bad_tick(bars, i, 1.1) end
    end)
    for i = 721, 1199 do assert.equal(plain[i], faulty[i]) end
    assert.is_true(faulty[1200] > plain[1200] and faulty[1200] > 0.65)
  end)

  it("sees the old system's features when asked", function()
    local hit, bars = hit_of(crash, { features = "legacy" })
    assert.equal(bars.close[1100], hit.details.features.close)
    assert.equal(bars.volume[1100], hit.details.features.volume)
    assert.near(bars.close[1100] / bars.close[1099] - 1, hit.details.features.price_change, 1e-12)
    assert.is_nil(hit.details.features.log_return)
  end)

  it("leaves out bars behind a hole and without volume", function()
    local bars = quiet(HOURS, 31)
    bars.volume[1000] = 0
    local time = {}
    for i = 1, HOURS do time[i] = 1704067200 + 3600 * (i - 1) + (i > 1200 and 7200 or 0) end
    bars.time, bars.start = time, nil
    local result = month(bars, { threshold = 0.01 })
    assert.equal("gap", result.status)
    local seen = {}
    for _, hit in ipairs(result.data.anomalies) do seen[hit.time] = true end
    for i, scored in pairs { [999] = true, [1000] = false, [1001] = false, [1002] = true, [1200] = true, [1201] = false, [1202] = true } do
      assert.equal(scored, seen[time[i]] or false, "bar " .. i)
    end
  end)

  it("cannot tell of a newest bar that misses a feature", function()
    local bars = quiet(HOURS, 31)
    bars.volume[HOURS] = 0
    local result = script:run(bars)
    assert.equal("ok", result.status)
    assert.same({}, result.data)
    assert.same({ found = "missing", score = "missing", severity = "missing", anomalies = "missing" }, result.metadata.reasons)
  end)

  it("needs 200 rows that miss nothing", function()
    local bars = quiet(HOURS, 31)
    for i = 1, HOURS, 2 do bars.volume[i] = 0 end
    assert.equal("too_few", script:run(bars).metadata.reasons.found)
  end)

  it("is warming until there are 219 bars before those it looks at", function()
    for days, want in pairs { [0] = 168 + 219, [1] = 24 + 219 } do
      local bars = quiet(want, 41)
      bars.params = { window_days = days }
      assert.equal("ok", script:run(bars).status)
      assert.is_number(script:run(bars).data.score)
      for _, column in ipairs { "open", "high", "low", "close", "volume" } do table.remove(bars[column]) end
      assert.equal("warming", script:run(bars).status)
      assert.same({}, script:run(bars).data)
    end
  end)

  it("looks at 7 days and the 30 before, at slow periods at 250 bars before", function()
    for period, want in pairs { ["1h"] = { 168 + 720, "37d" }, ["4h"] = { 42 + 250, "1168h" }, ["1d"] = { 7 + 250, "257d" } } do
      local bars = quiet(300, 1)
      bars.period = period
      local metadata = script:run(bars).metadata
      assert.same(want, { metadata.expected, metadata.window })
    end
    local bars = quiet(300, 1)
    bars.params = { window_days = 60 }
    local metadata = script:run(bars).metadata
    assert.same({ 1440 + 720, "90d" }, { metadata.expected, metadata.window })
  end)

  it("answers at slow periods though some bars are silent or missing", function()
    for _, period in ipairs { "4h", "1d" } do
      local seconds, time = period == "1d" and 86400 or 14400, {}
      local bars = quiet(300, 61)
      for i = 120, 260, 10 do bars.volume[i] = 0 end -- 15 bars
      bars.period = period
      assert.equal("ok", script:run(bars).status)
      assert.is_number(script:run(bars).data.score)
      bars.volume[130], bars.volume[140] = 100, 100
      for i = 1, 300 do time[i] = 1704067200 + seconds * (i - 1 + (i > 200 and 3 or 0)) end
      bars.time, bars.start = time, nil
      assert.equal("gap", script:run(bars).status)
      assert.is_number(script:run(bars).data.score)
    end
  end)

  it("answers where nothing moves", function()
    local bars = quiet(HOURS, 1)
    for i = 1, HOURS do
      bars.open[i], bars.high[i], bars.low[i], bars.close[i], bars.volume[i] = 5, 5, 5, 5, 5
    end
    local data = month(bars).data
    assert.equal(0, data.found)
    assert.near(0.5, data.score, 1e-12)
    assert.equal("none", data.severity)
  end)

  it("refuses parameters out of bounds and names them", function()
    for _, bad in ipairs { { window_days = -1 }, { window_days = 366 }, { contamination = "0.5" }, { threshold = 1.5 }, { features = "old" },
                           { field = "close" } } do
      local bars = quiet(400, 1)
      bars.params = bad
      assert.error_matches(function() script:run(bars) end, (next(bad)))
    end
  end)
end)
