local petrosa = require "petrosa"
local support = require "tests.lua.scripts.support"

-- Libraries are reached from files only: the script stands in a folder beside a lib.
describe("given", function()
  local folder = os.tmpname()
  os.remove(folder)

  setup(function()
    assert(os.execute("mkdir -p " .. folder .. "/calculators " .. folder .. "/lib") == 0)
    local lib = assert(io.open(folder .. "/lib/given.lua", "w"))
    lib:write(support.read("scripts/lib/given.lua"))
    lib:close()
  end)

  teardown(function() os.execute("rm -r " .. folder) end)

  it("hands on what is there, and says why where nothing is", function()
    local file = folder .. "/calculators/probe.lua"
    local out = assert(io.open(file, "w"))
    out:write([[
local given = require "given"
return calculator {
  api = 1, name = "probe", about = "what given gives", needs = { candles = { span = "1d" } },
  outputs = { number = "none", zero = "none", nan = "none", infinite = "none", nothing = "none" },
  compute = function(w)
    return { number = given(1.5, "never"), zero = given(0), nan = given(0 / 0),
             infinite = given(1 / 0, "too_big"), nothing = given(nil, "gone") }
  end,
}]])
    out:close()
    local result = assert(petrosa.load(file)):run { close = { 1 } }
    assert.same({ number = 1.5, zero = 0 }, result.data)
    assert.same({ nan = "too_few", infinite = "too_big", nothing = "gone" }, result.metadata.reasons)
  end)
end)
