local support = require "tests.lua.scripts.support"

describe("field", function()
  local script = support.calculator("mad")

  it("is one of four words, the return by default", function()
    for _, param in ipairs(script:declaration().params) do
      if param.name == "field" then
        assert.equal("log_return", param.default)
        assert.same({ "log_return", "close", "log_volume", "range" }, param.words)
      end
    end
  end)

  -- Where mad looks at it, the last bar of all stands out and says what was observed.
  local function observed(field, change)
    local bars = { open = {}, high = {}, low = {}, close = {}, volume = {}, whole = true, params = { field = field, threshold = 0.1 } }
    for i = 1, 40 do
      local x = 100 + i % 5
      bars.open[i], bars.close[i], bars.high[i], bars.low[i], bars.volume[i] = x, x, x + 2 + i % 3, x - 2, 10 + i % 7
    end
    change(bars)
    local result = script:run(bars)
    local last = result.data.anomalies[#result.data.anomalies]
    return last and last.time == 1735689600 + 39 * 3600 and last.observed or nil, result
  end

  it("takes each from the bar, or from it and the one before", function()
    assert.equal(500, (observed("close", function(b) b.close[40] = 500 end)))
    assert.near(math.log(500 / 104), (observed("log_return", function(b) b.close[40] = 500 end)), 1e-12)
    assert.near(math.log(9000), (observed("log_volume", function(b) b.volume[40] = 9000 end)), 1e-12)
    assert.near((300 - 98) / 98, (observed("range", function(b) b.high[40] = 300 end)), 1e-12)
  end)

  it("is missing where there is no number: no volume, no bar before", function()
    local none, result = observed("log_volume", function(b) b.volume[40] = 0 end)
    assert.is_nil(none)
    assert.equal("missing", result.metadata.reasons.score)
    none, result = observed("log_return", function(b) b.close[39] = 0 / 0 end)
    assert.is_nil(none)
    assert.equal("missing", result.metadata.reasons.score)
  end)
end)
