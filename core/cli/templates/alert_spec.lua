--- NAME_spec: what NAME.lua must hold. petrosa test FILE
local petrosa = require "petrosa"

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local script = assert(petrosa.load(here .. "NAME.lua"))

-- What it says about a bar that closed at 12.5 and at which volume.lua gave this.
local function of(volume, params)
  return script:run { period = "1h", close = { 12.5 }, metrics = { volume = volume }, params = params }
end

describe("NAME", function()
  it("fires with a message", function()
    assert.same({ fired = "yes", message = "4.2 times the usual volume, closed at 12.5" }, of({ volume_spike_ratio = 4.2 }).data)
  end)

  it("is quiet below the bound, which can be set", function()
    assert.equal("no", of({ volume_spike_ratio = 2.9 }).data.fired)
    assert.equal("no", of({ volume_spike_ratio = 4.2 }, { ratio = 5 }).data.fired)
  end)

  it("says when it cannot tell", function()
    for _, volume in ipairs { {}, { status = "error", volume_spike_ratio = 9 } } do
      local result = of(volume)
      assert.is_nil(result.data.fired)
      assert.equal("no_volume", result.metadata.reasons.fired)
    end
  end)
end)
