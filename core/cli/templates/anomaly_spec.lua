--- NAME_spec: what NAME.lua must hold. petrosa test FILE
local petrosa = require "petrosa"

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local script = assert(petrosa.load(here .. "NAME.lua"))

-- 40 bars from 100 to 101, but for those that `changes` gives another high.
local function bars(changes)
  local out = { period = "1h", open = {}, high = {}, low = {}, close = {} }
  for i = 1, 40 do out.open[i], out.high[i], out.low[i], out.close[i] = 100, changes[i] or 101, 100, 100.5 end
  return out
end

describe("NAME", function()
  it("finds what was worked out by hand, in all of the window", function()
    local input = bars { [20] = 108, [30] = 105 }
    input.whole = true
    local found = script:run(input).data.anomalies
    assert.equal(2, #found)
    assert.same({ "critical", "medium" }, { found[1].severity, found[2].severity })
    assert.near(8, found[1].score, 1e-9)
    assert.same({ "up", "wide_range" }, { found[1].direction, found[1].reason })
  end)

  it("tells of a bar when it is the newest, and once", function()
    assert.equal(1, script:run(bars { [40] = 108 }).data.found)
    local quiet = script:run(bars { [39] = 108 }).data
    assert.same({ 0, "none", {} }, { quiet.found, quiet.severity, quiet.anomalies })
  end)

  it("is not a hit at the threshold itself, which can be set", function()
    local input = bars { [40] = 104 }
    assert.equal(0, script:run(input).data.found)
    input.params = { threshold = 3.9 }
    assert.equal(1, script:run(input).data.found)
  end)

  it("says when it cannot tell: null, not none found", function()
    local input = bars {}
    for i = 1, 40 do input.high[i] = 100 end
    local result = script:run(input)
    assert.is_nil(result.data.found)
    assert.equal("flat", result.metadata.reasons.found)
    input = bars {}
    input.high[40] = 0 / 0
    assert.equal("missing", script:run(input).metadata.reasons.found)
  end)

  it("waits for enough bars", function()
    assert.equal("warming", script:run({ close = { 1, 2 } }).status)
  end)
end)
