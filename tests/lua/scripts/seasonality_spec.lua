local support = require "tests.lua.scripts.support"

-- Numbers that are normal, the same on every machine (Lehmer's generator, Box & Muller).
local function noise(seed)
  local state = seed
  local function uniform()
    state = state * 16807 % 2147483647
    return state / 2147483647
  end
  for _ = 1, 20 do uniform() end
  return function() return math.sqrt(-2 * math.log(uniform())) * math.cos(2 * math.pi * uniform()) end
end

-- n hourly bars from Monday 2024-01-01 on, whose log returns are what `step` says.
local function market(n, step)
  local input, level = { period = "1h", start = "2024-01-01", close = {}, volume = {} }, 0
  for i = 1, n do
    level = level + step(i)
    input.close[i], input.volume[i] = 100 * math.exp(level), 1
  end
  return input
end

local function without(input, holes)
  local out = { period = "1h", time = {}, close = {}, volume = {} }
  for i = 1, #input.close do
    if not holes[i] then
      out.time[#out.time + 1] = 1704067200 + (i - 1) * 3600
      out.close[#out.close + 1], out.volume[#out.volume + 1] = input.close[i], input.volume[i]
    end
  end
  return out
end

local function entries(map)
  local count = 0
  for _ in pairs(map) do count = count + 1 end
  return count
end

describe("seasonality", function()
  local script = support.calculator("seasonality")
  support.holds_for_every_calculator("seasonality", "walk", { "1h" })

  it("stands by its definitions", function()
    local series = support.series("walk") -- 400 bars from a midnight on
    local sum, count, own, all = 0, 0, 0, 0
    for i, close in ipairs(series.close) do
      if (i - 1) % 24 == 399 % 24 then sum, count = sum + close, count + 1 end
      if (i - 1) % 24 == 5 then own = own + series.volume[i] end
      all = all + series.volume[i]
    end
    local data = script:run(series).data
    assert.near(sum / count, data.hourly_pattern["15"], 1e-10)
    assert.near(100 * (series.close[400] / (sum / count) - 1), data.seasonal_deviation, 1e-10)
    assert.near(own / all, data.hourly_volume_share["5"], 1e-12)
    local returns, m, s = {}, 0, 0
    for i = 2, 399 do
      if (i - 1) % 24 == 15 then returns[#returns + 1] = math.log(series.close[i] / series.close[i - 1]) end
    end
    for _, r in ipairs(returns) do m = m + r / #returns end
    for _, r in ipairs(returns) do s = s + (r - m) ^ 2 / (#returns - 1) end
    assert.near((math.log(series.close[400] / series.close[399]) - m) / math.sqrt(s), data.seasonal_zscore, 1e-9)
    assert.equal(#returns + 1, data.hourly_return_bp["15"].n)
  end)

  it("gives whole numbers where they are whole by nature", function()
    local declared = {}
    for _, output in ipairs(script:declaration().outputs) do declared[output.name] = output end
    assert.equal("int", declared.dominant_cycle.type)
    local n
    for _, field in ipairs(declared.hourly_return_bp.fields) do
      if field.name == "n" then n = field end
    end
    assert.equal("int", n.type)
  end)

  it("finds an hour that rises and the weekday that falls, and blames no other", function()
    local random = noise(11)
    local data = script:run(market(2160, function(i)
      local hour, weekday = (i - 1) % 24, math.floor((i - 1) / 24) % 7
      return 0.003 * random() + (hour == 14 and 0.004 or 0) - (weekday == 5 and 0.0015 or 0)
    end)).data
    for hour = 0, 23 do
      local one = data.hourly_return_bp[tostring(hour)]
      assert.equal(hour == 14, one.q < 0.01 and one.t > 0, "hour " .. hour)
    end
    for day = 0, 6 do
      local one = data.weekday_return_bp[tostring(day)]
      assert.equal(day == 5, one.q < 0.01 and one.t < 0, "weekday " .. day)
    end
  end)

  it("counts Monday as 0", function()
    local data = script:run(market(168, function(i) return i % 24 == 1 and 0.01 or 0 end)).data -- a step each midnight
    local before = 0
    for day = 0, 6 do
      assert.is_true(data.daily_pattern[tostring(day)] > before)
      before = data.daily_pattern[tostring(day)]
    end
  end)

  describe("dominant_cycle", function()
    it("is 24 for a sine of 24 bars plus noise, in every draw", function()
      for draw = 1, 20 do
        local random = noise(100 + draw)
        local result = script:run(market(2160, function(i)
          return 0.01 * random() + 0.006 * math.sin(2 * math.pi * i / 24 + draw)
        end))
        assert.equal(24, result.data.dominant_cycle)
        assert.near(24, result.data.cycles["1"].period, 0.5)
        assert.is_true(result.data.cycles["1"].p < 0.01)
      end
    end)

    it("is null in at least 98 % of 200 random walks of 2048 bars", function()
      local found = 0
      for draw = 1, 200 do
        local random = noise(5000 + 7 * draw)
        local result = script:run(market(2048, function() return 0.01 * random() end))
        if result.data.dominant_cycle then found = found + 1 end
        assert.equal(3, entries(result.data.cycles))
        if not result.data.dominant_cycle then assert.equal("no_cycle", result.metadata.reasons.dominant_cycle) end
      end
      assert.is_true(found <= 4, found .. " of 200")
    end)

    it("is not made by memory of one step", function()
      local found = 0
      for draw = 1, 50 do
        local random, before = noise(9000 + draw), 0
        local result = script:run(market(2048, function()
          before = 0.6 * before + 0.01 * random()
          return before
        end))
        found = found + (result.data.dominant_cycle and 1 or 0)
      end
      assert.is_true(found <= 2, found .. " of 50")
    end)

    it("lives with a hole of 2 % of the bars, not with more", function()
      local random = noise(3)
      local whole = market(2000, function(i) return 0.01 * random() + 0.008 * math.sin(2 * math.pi * i / 24) end)
      local holes = {}
      for i = 1001, 1040 do holes[i] = true end
      local result = script:run(without(whole, holes))
      assert.equal("gap", result.status)
      assert.equal(24, result.data.dominant_cycle)
      holes[1041] = true
      result = script:run(without(whole, holes))
      assert.is_nil(result.data.dominant_cycle)
      assert.equal("gaps", result.metadata.reasons.dominant_cycle)
      assert.equal("gaps", result.metadata.reasons.cycles)
      assert.is_number(result.data.entropy_index)
    end)
  end)

  describe("entropy", function()
    it("is high for noise and low for a march", function()
      local random = noise(4)
      local data = script:run(market(1000, function() return 0.01 * random() end)).data
      assert.is_true(data.permutation_entropy > 0.98 and data.entropy_index > 0.7)
      local rising = script:run(market(1000, function(i) return 1e-6 * i end)).data
      assert.equal(0, rising.permutation_entropy)
    end)

    it("takes what is beyond 5 deviations into the last bins", function()
      local data = script:run(market(1001, function(i) return i == 500 and 0.5 or (i % 2) * 1e-4 end)).data
      -- three values: two halves near the middle, one outlier at 31 deviations
      assert.is_true(data.entropy_index > 0 and data.entropy_index <= math.log(3) / math.log(50))
    end)
  end)

  it("has nothing to say about returns that are all the same", function()
    local result = script:run(support.series("flat"))
    local reasons = result.metadata.reasons
    for _, field in ipairs { "dominant_cycle", "cycles", "entropy_index", "hourly_return_bp.3.t",
                             "hourly_return_bp.3.q", "weekday_return_bp.0.t" } do
      assert.equal("flat", reasons[field], field)
    end
    local longer = script:run(market(480, function() return 0 end))
    assert.equal("flat", longer.metadata.reasons.seasonal_zscore)
    assert.equal(0, result.data.entropy_nats)
    assert.equal(0, result.data.permutation_entropy)
    assert.equal(0, result.data.hourly_return_bp["3"].mean)
    assert.equal(0, result.data.seasonal_deviation)
  end)

  it("keeps all 24 hours at 4h, null where no bar opens", function()
    local four = market(600, function(i) return 0.01 * math.sin(i * i) end)
    four.period = "4h"
    local result = script:run(four)
    for hour = 0, 23 do
      local key = tostring(hour)
      assert.equal(hour % 4 == 0, result.data.hourly_pattern[key] ~= nil)
      assert.equal(hour % 4 ~= 0 and "empty" or nil, result.metadata.reasons["hourly_pattern." .. key])
    end
  end)

  it("has daily maps only from 1d on", function()
    local result = script:run(support.series("trending"))
    for _, field in ipairs { "hourly_pattern", "hourly_return_bp", "hourly_volatility_bp", "hourly_volume_share" } do
      assert.is_nil(result.data[field])
      assert.equal("no_hours", result.metadata.reasons[field])
    end
    assert.equal(7, entries(result.data.daily_pattern))
    assert.equal(7, entries(result.data.weekday_return_bp))
    assert.is_number(result.data.seasonal_deviation)
  end)

  describe("a missing value", function()
    local n = 400

    it("of the last close takes only what stands on it", function()
      local series = support.series("walk")
      series.close[n] = 0 / 0
      local result = script:run(series)
      assert.same({ seasonal_deviation = "missing", seasonal_zscore = "missing" }, (function()
        local first = {}
        for _, field in ipairs { "seasonal_deviation", "seasonal_zscore", "dominant_cycle", "entropy_index" } do
          local reason = result.metadata.reasons[field]
          if reason ~= "no_cycle" then first[field] = reason end
        end
        return first
      end)())
    end)

    it("of a close inside is missing for its own hour and the next", function()
      local series = support.series("walk")
      series.close[100] = 0 / 0 -- opens at 3 o'clock
      local whole, holed = script:run(support.series("walk")).data, script:run(series).data
      for hour = 0, 23 do
        local key = tostring(hour)
        assert.equal((hour == 3 or hour == 4) and 1 or 0, whole.hourly_return_bp[key].n - holed.hourly_return_bp[key].n)
        assert.equal(hour == 3, whole.hourly_pattern[key] ~= holed.hourly_pattern[key])
      end
    end)

    it("of a volume leaves no shares", function()
      local series = support.series("walk")
      series.volume[7] = 0 / 0
      assert.equal("volume_missing", script:run(series).metadata.reasons.hourly_volume_share)
      assert.equal("zero_volume", script:run(support.series("silent")).metadata.reasons.hourly_volume_share)
    end)
  end)

  it("does not give the bar behind a hole a return", function()
    local whole = market(480, function(i) return 0.01 * math.sin(i * i) end)
    local torn = script:run(without(whole, { [101] = true })).data
    local data = script:run(whole).data
    -- bar 101 opens at 4 o'clock, 102 at 5
    assert.equal(data.hourly_return_bp["4"].n - 1, torn.hourly_return_bp["4"].n)
    assert.equal(data.hourly_return_bp["5"].n - 1, torn.hourly_return_bp["5"].n)
    assert.equal(data.hourly_return_bp["6"].mean, torn.hourly_return_bp["6"].mean)
  end)

  it("is warming below 100 bars, and wants 10 others for a z-score", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 99)).status)
    assert.same({}, script:run(support.slice(series, 1, 99)).data)
    assert.equal("ok", script:run(support.slice(series, 1, 100)).status)
    assert.equal("too_few", script:run(support.slice(series, 1, 240)).metadata.reasons.seasonal_zscore)
    -- Hour 1 of the eleventh day: ten others. Hour 0 of that day has nine, as the first bar has no return.
    assert.equal("too_few", script:run(support.slice(series, 1, 241)).metadata.reasons.seasonal_zscore)
    assert.is_number(script:run(support.slice(series, 1, 242)).data.seasonal_zscore)
  end)
end)
