--- NAME_spec: what NAME.lua must hold. petrosa test FILE
local petrosa = require "petrosa"

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local script = assert(petrosa.load(here .. "NAME.lua"))

describe("NAME", function()
  it("gives the numbers that were worked out by hand", function()
    local result = script:run { period = "1h", close = { 2, 4, 9 }, params = { window = 3 } }
    assert.equal("ok", result.status)
    assert.near((4 / 2 - 1 + 9 / 4 - 1) / 2, result.data.mean_return, 1e-12)
    assert.near((9 - 5) / math.sqrt((9 + 1 + 16) / 2), result.data.distance, 1e-12)
  end)

  it("says why there is no distance where nothing moves", function()
    local result = script:run { close = { 5, 5, 5 }, params = { window = 3 } }
    assert.equal(0, result.data.mean_return)
    assert.is_nil(result.data.distance)
    assert.equal("flat", result.metadata.reasons.distance)
  end)

  it("waits for enough bars", function()
    assert.equal("warming", script:run({ close = { 1, 2 } }).status)
  end)

  it("says that bars are missing, and takes no return across the hole", function()
    local hour = 3600
    local result = script:run { time = { 0, hour, 5 * hour, 6 * hour }, close = { 1, 2, 10, 20 }, params = { window = 4 } }
    assert.equal("gap", result.status)
    assert.equal(1, result.data.mean_return)
  end)

  it("gives the same numbers again", function()
    local bars = { close = { 3, 1, 4, 1, 5, 9, 2, 6 }, params = { window = 5 } }
    assert.same(script:run(bars).data, script:run(bars).data)
  end)
end)
