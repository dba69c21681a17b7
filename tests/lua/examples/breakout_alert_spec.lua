local support = require "tests.lua.scripts.support"

describe("breakout_alert", function()
  local script = support.calculator("breakout_alert")
  support.holds_for_every_calculator("breakout_alert", "walk")

  --- 40 bars between 99 and 101, then one that closes at `close`; volume's ratio as given.
  local function run(close, spike, params)
    local input = { open = {}, high = {}, low = {}, close = {}, params = params, metrics = { volume = { volume_spike_ratio = spike } } }
    for i = 1, 40 do input.open[i], input.high[i], input.low[i], input.close[i] = 100, 101, 99, 100 end
    input.open[41], input.high[41], input.low[41], input.close[41] = 100, math.max(101, close), math.min(99, close), close
    return script:run(input)
  end

  it("fires above the highest high and below the lowest low", function()
    assert.equal("closed at 102.5, above the 101 of the 20 bars before, on 2.00 times the usual volume", run(102.5, 2).data.message)
    assert.equal("closed at 98, below the 99 of the 20 bars before, on 1.50 times the usual volume", run(98, 1.5).data.message)
  end)

  it("is quiet inside of it, at its edge, and on little volume", function()
    for _, case in ipairs { { 100, 9 }, { 101, 9 }, { 99, 9 }, { 103, 1.49 } } do
      local result = run(case[1], case[2])
      assert.equal("no", result.data.fired)
      assert.equal("quiet", result.metadata.reasons.message)
    end
    assert.equal("yes", run(103, 1.49, { volume = 1 }).data.fired)
  end)

  it("cannot tell without a volume, but only where that decides", function()
    assert.equal("no_volume", run(103, nil).metadata.reasons.fired)
    assert.equal("no", run(100, nil).data.fired)
  end)

  it("compares with the bars that are there, across a hole", function()
    local result = script:run(support.series("gaps"))
    assert.equal("gap", result.status)
    assert.is_string(result.data.fired)
  end)

  it("cannot tell with a missing last close, or too few highs before it", function()
    local series = support.series("walk")
    local n = #series.close
    series.close[n] = 0 / 0
    assert.equal("missing", script:run(series).metadata.reasons.fired)
    series = support.series("walk")
    for i = n - 11, n - 1 do series.high[i] = 0 / 0 end
    assert.equal("missing", script:run(series).metadata.reasons.fired)
    series.high[n - 1] = 200
    assert.is_string(script:run(series).data.fired)
  end)

  it("is warming below 21 bars", function()
    local series = support.series("walk")
    assert.equal("warming", script:run(support.slice(series, 1, 20)).status)
    assert.same({}, script:run(support.slice(series, 1, 20)).data)
    assert.equal("ok", script:run(support.slice(series, 1, 21)).status)
  end)
end)
