local petrosa = require "petrosa"
local support = require "tests.lua.scripts.support"

-- What the author's guide shows is run as it is printed.
describe("scripts/README.md", function()
  local blocks, order, folder = {}, {}, os.tmpname()
  os.remove(folder)
  for block in support.read("scripts/README.md"):gmatch("```lua\n(.-)```") do
    local name = block:match('name%s*=%s*"([%w_]+)"') or "spec"
    blocks[name] = block
    order[#order + 1] = name
  end

  assert(os.execute("mkdir -p " .. folder .. "/calculators " .. folder .. "/lib") == 0)
  local function write(path, text)
    local out = assert(io.open(folder .. "/" .. path, "w"))
    out:write(text)
    out:close()
  end
  write("lib/given.lua", support.read("scripts/lib/given.lua"))
  for name, block in pairs(blocks) do write("calculators/" .. name .. ".lua", block) end
  teardown(function() os.execute("rm -r " .. folder) end)

  local function load(name)
    return assert(petrosa.load(folder .. "/calculators/" .. name .. ".lua"))
  end

  it("shows ten scripts and a spec", function()
    assert.same({ "day_range", "streak", "touch", "close_location", "pulse", "tide", "sea", "wick", "shock", "spike", "spec" }, order)
  end)

  it("shows a first metric in 15 lines at most", function()
    local _, lines = blocks.day_range:gsub("\n", "\n")
    assert.is_true(lines <= 15, lines .. " lines")
  end)

  it("day_range answers", function()
    local series, high, low = support.series("walk"), 0, math.huge
    for i = #series.high - 23, #series.high do
      high, low = math.max(high, series.high[i]), math.min(low, series.low[i])
    end
    local result = load("day_range"):run(series)
    assert.equal("ok", result.status)
    assert.near(200 * (high - low) / (high + low), result.data.range, 1e-12)
  end)

  it("streak answers, and a hole ends a run", function()
    local bars = { close = { 1, 2, 3, 2, 3, 4, 5, 6, 5, 6, 7, 8 } }
    local script = load("streak")
    assert.same({ longest = 4, current = 3, state = "rising" }, script:run(bars).data)
    bars.time = {}
    for i = 1, 12 do bars.time[i] = 1735689600 + (i + (i > 6 and 2 or 0)) * 3600 end
    assert.same({ longest = 3, current = 3, state = "rising" }, script:run(bars).data)
    assert.equal("gap", script:run(bars).status)
    local small = { close = { 9, 9, 9, 9, 9, 9, 9, 100, 101, 101.01 }, params = { threshold_bp = 5 } }
    assert.same({ longest = 2, current = 0, state = "resting" }, script:run(small).data)
    bars.params = { threshold_bp = -1 }
    assert.error_matches(function() script:run(bars) end, "threshold_bp")
  end)

  it("touch answers, now and on average", function()
    local low, high = { { 100, 1 } }, { { 101, 1 } }
    local result = load("touch"):run { books = {
      { time = 1704067200, bids = low, asks = high },
      { time = 1704067210, bids = low, asks = { { 103, 1 } } },
      { time = 1704067240, bids = low, asks = high },
    } }
    assert.same({ now = 1, mean = (1 * 10 + 3 * 30) / 40 }, result.data)
  end)

  it("close_location answers, with the reason it promises for a bar without a range", function()
    local bars = { high = { 2, 2, 2, 2, 1 }, low = { 1, 1, 1, 1, 1 }, close = { 1, 2, 1.5, 1.5, 1 } }
    local result = load("close_location"):run(bars)
    assert.equal(0.5, result.data.mean)
    assert.same({ last = "flat" }, result.metadata.reasons)
    for i = 1, 4 do bars.high[i] = 1 end
    assert.same({ last = "flat", mean = "too_few" }, load("close_location"):run(bars).metadata.reasons)
  end)

  it("tide answers from the metric that it needs, and is unknown without it", function()
    local script = load("tide")
    for place, state in pairs { [0.1] = "calm", [0.5] = "between", [0.9] = "rough" } do
      assert.equal(state, script:run { close = { 1 }, metrics = { volatility = { percentile = place } } }.data.state)
    end
    assert.same({ state = "no_volatility" }, script:run({ close = { 1 }, metrics = {} }).metadata.reasons)
  end)

  it("sea answers by its table, and is unknown without a level", function()
    local script = load("sea")
    local function state(place, spike)
      return script:run { close = { 1 }, metrics = { volatility = { percentile = place }, volume = { volume_spike_ratio = spike } } }
    end
    for _, case in ipairs { { 0.9, 2, "storm" }, { 0.9, 1, "swell" }, { 0.9, 0.1, "swell" }, { 0.1, 0.1, "calm" }, { 0.1, 2, "drift" } } do
      assert.equal(case[3], state(case[1], case[2]).data.state)
    end
    local without = state(nil, 2)
    assert.same({ state = "unknown", wind = "strong" }, without.data)
    assert.same({ waves = "no_volatility" }, without.metadata.reasons)
  end)

  it("shows the error that sea gives with two rules in the wrong order", function()
    local storm, swell = blocks.sea:match("(    { waves = \"high\", wind = \"strong\"[^\n]*\n)(    { waves = \"high\", gives[^\n]*\n)")
    local calm = blocks.sea:match("    { waves = \"low\"[^\n]*\n")
    local from, to = blocks.sea:find(storm .. swell .. calm, 1, true)
    local turned = blocks.sea:sub(1, from - 1) .. calm .. swell:gsub("%-%-.*", "\n"):gsub(", behind = %b{}", "") .. storm .. blocks.sea:sub(to + 1)
    write("calculators/sea_turned.lua", turned)
    local _, why = petrosa.load(folder .. "/calculators/sea_turned.lua")
    local said = why:match("sea_turned%.lua(:.*)")
    assert.is_truthy(support.read("scripts/README.md"):find("    sea.lua" .. said .. "\n", 1, true), why)
  end)

  it("wick finds long wicks, on either side, and cannot tell where there are none", function()
    local script = load("wick")
    local bars = { open = {}, high = {}, low = {}, close = {}, whole = true }
    for i = 1, 40 do bars.open[i], bars.close[i], bars.high[i], bars.low[i] = 100, 101, 102, 99.5 end
    bars.high[20], bars.low[30], bars.high[40] = 110, 92, 107.2
    local result = script:run(bars)
    local severities = {}
    for i, hit in ipairs(result.data.anomalies) do severities[i] = hit.severity end
    assert.same({ "high", "medium", "low" }, severities)
    assert.near(6.2, result.data.score, 1e-9)
    assert.near(1 / 101, result.data.anomalies[1].expected, 1e-12)
    assert.near(9 / 101, result.data.anomalies[1].observed, 1e-12)
    assert.same({ "up", "long_wick" }, { result.data.anomalies[1].direction, result.data.anomalies[1].reason })
    bars.whole = nil
    assert.equal(1, script:run(bars).data.found)
    for i = 1, 40 do bars.high[i], bars.low[i] = 101, 100 end
    assert.equal("flat", script:run(bars).metadata.reasons.found)
  end)

  it("shock tells of an outlier in a calm market only", function()
    local script = load("shock")
    local hit = { direction = "down", score = 7.24 }
    local function run(severity, regime)
      return script:run { close = { 1 }, metrics = { mad = { severity = severity, anomalies = { hit } }, regime = { regime = regime } } }
    end
    assert.equal("down, 7.2 deviations, in a market that was consolidation", run("critical", "consolidation").data.message)
    assert.equal("no", run("critical", "breakout_phase").data.fired)
    assert.equal("no", run("none", "consolidation").data.fired)
    assert.equal("no_score", run(nil, "consolidation").metadata.reasons.fired)
    assert.equal("no_regime", run("high", "unknown").metadata.reasons.fired)
  end)

  it("spike fires, rests, and says when it cannot tell", function()
    local script = load("spike")
    local function run(ratio) return script:run { close = { 1, 2.5 }, metrics = { volume = { volume_spike_ratio = ratio } } } end
    assert.same({ fired = "yes", message = "4.2 times the usual volume, closed at 2.5" }, run(4.24).data)
    assert.same({ fired = "no" }, run(1).data)
    assert.equal("no_volume", run(nil).metadata.reasons.fired)
  end)

  it("shows only scripts that check lets through", function()
    local house = {}
    for i, name in ipairs { "volatility", "volume", "trend", "regime", "mad" } do house[i] = support.load(name) end
    for name in pairs(blocks) do
      if name ~= "spec" then assert.same({}, (petrosa.check(load(name), unpack(house))), name) end
    end
  end)

  it("pulse answers for all symbols, and for those that can be compared", function()
    local script = load("pulse")
    local market = { BTCUSDT = { close = { 100, 105, 110 } }, ETHUSDT = { close = { 10, 9, 12 } }, ADAUSDT = { close = { 5, 4, 5 } },
                     SOLUSDT = { close = { 2, 3, 0 / 0 } } }
    local result = script:run { period = "1h", market = market, params = { window = "3h" } }
    assert.near(10, result.data.change.BTCUSDT, 1e-12)
    assert.near(20, result.data.change.ETHUSDT, 1e-12)
    assert.equal(50, result.data.ahead)
    assert.same({ ["change.SOLUSDT"] = "missing" }, result.metadata.reasons)
    assert.equal("warming", script:run({ period = "1h", market = { BTCUSDT = market.BTCUSDT } }).status)
  end)

  it("tells the statuses as they are", function()
    assert.equal("warming", load("close_location"):run { close = { 1, 2 } }.status)
  end)

  -- The spec of the guide becomes a part of this one, with its file where it looks for it.
  describe("spec", function()
    local text = blocks.spec:gsub('petrosa%.load%("', 'petrosa.load("' .. folder .. "/calculators/")
    local chunk = assert(loadstring(text, "@scripts/README.md"))
    setfenv(chunk, getfenv(1))
    chunk()
  end)

  it("names only parts of a window or vector that the reference has", function()
    local known = {}
    for _, entry in ipairs(petrosa.reference()) do
      known[entry.name] = true
      for word in entry.signature:gmatch("[%w_]+") do known[word] = true end
    end
    for word in support.read("scripts/README.md"):gmatch("`[wvbmx][.:]([%w_]+)") do assert.is_true(known[word], word) end
  end)
end)
