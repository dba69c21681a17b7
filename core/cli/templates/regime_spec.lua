--- NAME_spec: what NAME.lua must hold. petrosa test FILE
local petrosa = require "petrosa"

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local script = assert(petrosa.load(here .. "NAME.lua"))

-- The regime of a bar at which volatility.lua gave this.
local function of(volatility, params)
  return script:run { period = "1h", close = { 1 }, metrics = { volatility = volatility }, params = params }
end

describe("NAME", function()
  it("names each place of the volatility", function()
    for place, word in pairs { [0] = "calm", [0.3] = "calm", [0.5] = "between", [0.7] = "rough", [1] = "rough" } do
      assert.equal(word, of({ percentile = place }).data.state)
    end
  end)

  it("takes other bounds", function()
    assert.equal("between", of({ percentile = 0.75 }, { rough = 0.8 }).data.state)
  end)

  it("says why there is no word", function()
    for _, volatility in ipairs { {}, { status = "error", percentile = 0.5 } } do
      local result = of(volatility)
      assert.is_nil(result.data.state)
      assert.equal("no_volatility", result.metadata.reasons.state)
    end
  end)
end)
