local petrosa = require "petrosa"
local support = require "tests.lua.scripts.support"

-- As given_spec: the script that asks stands in a folder beside a lib.
describe("ols", function()
  local folder = os.tmpname()
  os.remove(folder)
  local script

  setup(function()
    assert(os.execute("mkdir -p " .. folder .. "/calculators " .. folder .. "/lib") == 0)
    local function write(path, text)
      local out = assert(io.open(folder .. "/" .. path, "w"))
      out:write(text)
      out:close()
    end
    write("lib/ols.lua", support.read("scripts/lib/ols.lua"))
    write("calculators/probe.lua", [[
local ols = require "ols"
return calculator {
  api = 1, name = "probe", about = "close on open and high", needs = { candles = { span = "9d" } },
  params = { columns = int { default = 2, min = 1, max = 2 } },
  outputs = { open = "none", high = "none", constant = "none", r_squared = "none", used = count {}, why = text {} },
  compute = function(w, p)
    local beta, constant, r_squared, used = ols(w.close, p.columns == 2 and { w.open, w.high } or { w.open })
    if not beta then return { why = constant } end
    return { open = beta[1], high = beta[2] or null("none"), constant = constant, r_squared = r_squared, used = used }
  end,
}]])
    script = assert(petrosa.load(folder .. "/calculators/probe.lua"))
  end)

  teardown(function() os.execute("rm -r " .. folder) end)

  it("finds the plane that the values lie on", function()
    local input = { open = { 1, 2, 3, 4, 5, 6 }, high = { 3, 1, 4, 1, 5, 9 }, close = {} }
    for i = 1, 6 do input.close[i] = 7 + 2 * input.open[i] - 3 * input.high[i] end
    local data = script:run(input).data
    assert.near(2, data.open, 1e-12)
    assert.near(-3, data.high, 1e-12)
    assert.near(7, data.constant, 1e-12)
    assert.near(1, data.r_squared, 1e-12)
    assert.equal(6, data.used)
  end)

  it("is the straight line of textbooks for one column", function()
    -- Anscombe 1973, first set: y = 3.00 + 0.500 x, R squared 0.67.
    local data = script:run { params = { columns = 1 }, open = { 10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5 },
                              close = { 8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68 } }.data
    assert.near(0.500, data.open, 5e-4)
    assert.near(3.00, data.constant, 5e-3)
    assert.near(0.67, data.r_squared, 5e-3)
  end)

  it("leaves out a row in which anything is missing", function()
    local data = script:run { open = { 1, 2, 3, 4, 5, 6 }, high = { 3, 1, 0 / 0, 1, 5, 9 }, close = { 1, 0 / 0, 5, 2, 4, 8 } }.data
    assert.equal(4, data.used)
  end)

  it("says why there is no plane: too few rows, or columns that are made of each other", function()
    assert.equal("too_few", script:run { open = { 1, 2, 4 }, high = { 3, 1, 4 }, close = { 1, 2, 3 } }.data.why)
    local twice = { open = { 1, 2, 4, 7, 3 }, high = { 2, 4, 8, 14, 6 }, close = { 1, 2, 3, 1, 5 } }
    assert.equal("collinear", script:run(twice).data.why)
    twice.high = { 5, 5, 5, 5, 5 }
    assert.equal("collinear", script:run(twice).data.why)
  end)
end)
