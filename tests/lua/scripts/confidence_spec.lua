local petrosa = require "petrosa"
local support = require "tests.lua.scripts.support"

-- The library in a script that hands its answer out: inputs, edges and the label function as text.
local function confidence(inputs, edges, label)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir -p " .. folder .. "/calculators " .. folder .. "/lib") == 0)
  local function write(path, text)
    local out = assert(io.open(folder .. "/" .. path, "w"))
    out:write(text)
    out:close()
  end
  write("lib/confidence.lua", support.read("scripts/lib/confidence.lua"))
  write("calculators/x.lua", ([[
    local confidence = require "confidence"
    return calculator { api = 1, name = "x", about = "for a spec", needs = { candles = { span = "1d" } }, outputs = { c = "ratio" },
      compute = function() return { c = confidence(%s, %s, function(x) return %s end) } end }]]):format(inputs, edges, label))
  local script = assert(petrosa.load(folder .. "/calculators/x.lua"))
  local result = script:run { close = { 1 } }
  os.execute("rm -r " .. folder)
  assert.equal("ok", result.status, result.metadata.error and result.metadata.error.message)
  return result.data.c, result.metadata.reasons.c
end

local ONE = 'x.a > 2 and "up" or "down"'

describe("confidence", function()
  it("is a half at the boundary, on either side of it and with either comparison", function()
    for _, label in ipairs { ONE, 'x.a >= 2 and "up" or "down"' } do
      assert.equal(0.5, (confidence("{ a = 2 }", "{ { input = 'a', at = 2, scale = 3 } }", label)))
      for _, x in ipairs { 2 - 1e-12, 2 + 1e-12 } do
        assert.near(0.5, (confidence(("{ a = %.17g }"):format(x), "{ { input = 'a', at = 2, scale = 3 } }", label)), 1e-12)
      end
    end
  end)

  it("is 1 - exp(-d) / 2, d in scales", function()
    assert.near(1 - math.exp(-4 / 3) / 2, (confidence("{ a = 6 }", "{ { input = 'a', at = 2, scale = 3 } }", ONE)), 1e-15)
    assert.near(1 - math.exp(-math.log(4) / 0.5) / 2, (confidence("{ a = 8 }", "{ { input = 'a', at = 2, scale = 0.5, log = true } }", ONE)), 1e-12)
  end)

  it("takes the nearest boundary that changes the label", function()
    local label = 'x.a > 2 and "up" or x.b > 5 and "side" or "down"'
    local edges = "{ { input = 'a', at = 2, scale = 1 }, { input = 'b', at = 5, scale = 1 } }"
    assert.near(1 - math.exp(-1.5) / 2, (confidence("{ a = 0.5, b = 2 }", edges, label)), 1e-15)
    -- while a is above, b may cross its boundary as it likes
    assert.near(1 - math.exp(-3) / 2, (confidence("{ a = 5, b = 4.9 }", edges, label)), 1e-15)
  end)

  it("looks beyond a boundary that changes nothing to one that does", function()
    local label = 'x.a > 9 and "up" or "down"'
    assert.near(1 - math.exp(-8) / 2, (confidence("{ a = 1 }", "{ { input = 'a', at = 2, scale = 1 }, { input = 'a', at = 9, scale = 1 } }", label)), 1e-15)
  end)

  it("is 1 where nothing can change the label, or an input that never varies would have to", function()
    assert.equal(1, (confidence("{ a = 1 }", "{ { input = 'a', at = 2, scale = 1 } }", '"always"')))
    assert.equal(1, (confidence("{ a = 1 }", "{ { input = 'a', at = 2, scale = 0 } }", ONE)))
    assert.equal(0.5, (confidence("{ a = 2 }", "{ { input = 'a', at = 2, scale = 0 } }", ONE)))
    assert.equal(0.5, (confidence("{ a = 0 }", "{ { input = 'a', at = 0, scale = 0 } }", 'x.a > 0 and "up" or "down"')))
    assert.equal(1, (confidence("{ a = 1 / 0 }", "{ { input = 'a', at = 2, scale = 1 } }", ONE)))
    assert.equal(1, (confidence("{ a = 0 }", "{ { input = 'a', at = 2, scale = 1, log = true } }", ONE)))
  end)

  it("is missing where a scale that counts is, and only there", function()
    local value, reason = confidence("{ a = 1 }", "{ { input = 'a', at = 2, scale = 0 / 0 } }", ONE)
    assert.is_nil(value)
    assert.equal("not_finite", reason)
    assert.equal(1, (confidence("{ a = 1 }", "{ { input = 'a', at = 2, scale = 0 / 0 } }", '"always"')))
  end)
end)
