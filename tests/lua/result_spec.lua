--- Results: what is made of the table that compute returns.
local petrosa = require "petrosa"

local OUTPUTS = [[{ { "x", "quote" }, { "n", count {} }, { "t", text { words = { "up", "down" } } }, { "free", text {} },
  { "m", map { keys = { "a", "2" }, fields = { { "r", "ratio" }, { "k", count {} } } } }, { "h", map { keys = "0..2", unit = "quote" } }, { "l", list { unit = "bp" } } }]]

local function run(returned, outputs)
  local script = assert(petrosa.load('return calculator { api = 1, name = "x", about = "x", needs = { candles = { span = "5h", min = 2 } },\noutputs = '
    .. (outputs or OUTPUTS) .. ",\ncompute = function(w, p, m)\nreturn " .. returned .. "\nend }\n", "calculators/x.lua"))
  return script:run { close = { 1, 2, 3 } }
end

local function fault(returned, outputs)
  local r = run(returned, outputs)
  assert.are.equal("error", r.status)
  assert.are.equal("calculators/x.lua", r.metadata.error.file)
  assert.is_true(r.metadata.error.line > 0)
  assert.are.same({}, r.data)
  return r.metadata.error.message
end

describe("a result", function()
  it("holds every declared output", function()
    local r = run('{ x = 1.5, n = 3, t = "up", free = "äö", m = { a = { r = 1, k = 2 }, ["2"] = { r = 3, k = 4 } }, h = { [0] = 1, [1] = 2, ["2"] = 3 }, l = { 1, 2 } }')
    assert.are.same({ x = 1.5, n = 3, t = "up", free = "äö", m = { a = { r = 1, k = 2 }, ["2"] = { r = 3, k = 4 } }, h = { ["0"] = 1, ["1"] = 2, ["2"] = 3 },
      l = { 1, 2 } }, r.data)
    assert.are.same({}, r.metadata.reasons)
    assert.are.equal("ok", r.status)
  end)

  it("says why a value is not there", function()
    local r = run('{ x = 0 / 0, n = 1 / 0, t = null("no_trend"), m = { a = { r = null("flat"), k = 1 }, [2] = null("short") }, h = { [1] = 5 }, l = { 1, 0 / 0, null("why") } }')
    assert.are.same({ x = "not_finite", n = "not_finite", t = "no_trend", free = "not_given", ["m.a.r"] = "flat", ["m.2"] = "short", ["h.0"] = "not_given",
      ["h.2"] = "not_given", ["l.1"] = "not_finite", ["l.2"] = "why" }, r.metadata.reasons)
    assert.are.same({ m = { a = { k = 1 } }, h = { ["1"] = 5 }, l = { 1 } }, r.data)
    r = run('{ m = null("all"), h = 0 == 0 and null("all") or 1, l = null("all") }')
    assert.are.equal("all", r.metadata.reasons.m)
    assert.are.equal("all", r.metadata.reasons.l)
  end)

  it("takes a vector for a list", function()
    assert.are.same({ 1, 2, 3 }, run("{ l = w.close }").data.l)
    assert.are.same({}, run("{ l = vec.new(0) }").data.l)
  end)

  it("refuses what was not declared, by name", function()
    assert.are.equal("output y: was not declared", fault("{ x = 1, y = 2 }"))
    assert.are.equal("output 1: was not declared", fault("{ 5 }"))
    assert.are.equal("output m.b: was not declared as a key", fault("{ m = { b = {} } }"))
    assert.are.equal("output m.a.q: was not declared as a field", fault("{ m = { a = { q = 1 } } }"))
    assert.are.equal("output h.3: was not declared as a key", fault("{ h = { [3] = 1 } }"))
    assert.are.equal("output h: an entry stands there twice, as number and as text", fault('{ h = { [1] = 1, ["1"] = 2 } }'))
  end)

  it("refuses values of another type, by name", function()
    assert.are.equal("output x: number expected, got string", fault('{ x = "1" }'))
    assert.are.equal("output x: number expected, got boolean", fault("{ x = true }"))
    assert.are.equal("output x: number expected, got vector", fault("{ x = w.close }"))
    assert.are.equal("output x: number expected, got window", fault("{ x = w }"))
    assert.are.equal("output x: number expected, got table", fault("{ x = {} }"))
    assert.are.equal("output x: number expected, got cdata", fault("{ x = 1LL }"))
    assert.are.equal("output n: whole number expected, got 1.5", fault("{ n = 1.5 }"))
    assert.are.equal("output n: whole number expected, got 10000000000000000000", fault("{ n = 1e19 }"))
    assert.are.equal("output t: text expected, got number", fault("{ t = 1 }"))
    assert.are.equal("output t: 'left' is none of its words", fault('{ t = "left" }'))
    assert.are.equal("output free: the text is not UTF-8", fault('{ free = "\\255" }'))
    assert.are.equal("output free: the text is not UTF-8", fault('{ free = "a\\0b" }'))
    assert.are.equal("output m: table expected, got number", fault("{ m = 1 }"))
    assert.are.equal("output m.a: a table of its fields expected, got number", fault("{ m = { a = 1 } }"))
    assert.are.equal("output m.a.k: whole number expected, got 0.5", fault("{ m = { a = { k = 0.5 } } }"))
    assert.are.equal("output l: list or vector expected, got string", fault('{ l = "x" }'))
    assert.matches("^output l: not a plain list", fault("{ l = { 1, nil, 3, a = 1 } }"))
    assert.are.equal("output l.1: number expected, got string", fault('{ l = { 1, "x" } }'))
    assert.are.equal("compute must return a table of outputs, it returned nil", fault(""))
    assert.are.equal("compute must return a table of outputs, it returned vector", fault("w.close"))
  end)

  it("has a reason that is a word", function()
    for _, reason in ipairs { "'Two words'", "''", "5", "nil", "'x' .. ('y'):rep(40)", "'9x'" } do
      assert.matches("a reason is a word of a%-z, 0%-9 and _, at most 40 long", run("{ x = null(" .. reason .. ") }").metadata.error.message)
    end
  end)

  it("may not be larger than a megabyte", function()
    assert.matches("the result is larger than 1 MiB", fault("{ free = ('x'):rep(2 ^ 20) }"))
    assert.matches("the result is larger than 1 MiB", fault("{ l = vec.new(200000) }"))
    assert.matches("the result is larger than 1 MiB", fault("{ l = vec.new(50000, 0 / 0) }"))
    assert.are.equal(2 ^ 19, #run("{ free = ('x'):rep(2 ^ 19) }").data.free)
  end)
end)

describe("the status of a result", function()
  it("is warming while there are fewer bars than the script needs", function()
    local script = assert(petrosa.load [[return calculator { api = 1, name = "x", about = "x", params = { window = int { default = 3, min = 1, max = 9 } },
      needs = { candles = { span = "5h", bars = function(p) return 2 * p.window end, min = function(p) return p.window + 1 end } }, outputs = { a = "none" },
      compute = function(w, p) return { a = p.window } end }]])
    local r = script:run { close = { 1, 2, 3 } }
    assert.are.equal("warming", r.status)
    assert.are.same({ a = "warming" }, r.metadata.reasons)
    assert.are.equal(6, r.metadata.expected)
    assert.are.equal(50, r.metadata.completeness)
    assert.are.equal("ok", script:run({ close = { 1, 2, 3, 4 } }).status)
    r = script:run { close = { 1, 2, 3 }, params = { window = 2 } }
    assert.are.same({ 2, 5, 3 }, { r.data.a, r.metadata.expected, r.metadata.rows })
    assert.are.same({ window = 2 }, r.metadata.parameters)
    assert.are.equal("empty", script:run({ close = {} }).status)
    assert.is_nil(script:run({ close = {} }).as_of)
    assert.has_error(function() script:run { close = { 1 }, params = { window = 10 } } end, "parameter window: 10 is not in 1 .. 9")
    assert.has_error(function() script:run { close = { 1 }, params = { size = 1 } } end, "parameter size: x has none of this name")
  end)

  it("of a regime is that of the first metric it needs", function()
    local script = assert(petrosa.load [[return regime { api = 1, name = "r", about = "x", needs = { metrics = { "volatility", "volume" } },
      outputs = { label = text { words = { "high", "low", "unknown" } }, x = "ratio" },
      classify = function(m, p, w)
        if not m.volatility or not m.volume then return { label = "unknown", x = null("no_metric") } end
        return { label = m.volatility.percentile > 0.5 and "high" or "low", x = m.volume.levels["2"] }
      end }]])
    local r = script:run { close = { 1, 2 }, metrics = { volatility = { percentile = 0.7 }, volume = { levels = { ["2"] = 5 } } } }
    assert.are.same({ label = "high", x = 5 }, r.data)
    assert.are.equal("ok", r.status)
    r = script:run { close = { 1, 2 }, metrics = { volatility = { percentile = 0.7 } } }
    assert.are.equal("unknown", r.data.label)
    r = script:run { close = { 1, 2 }, metrics = { volatility = { status = "error" }, volume = {} } }
    assert.are.equal("unknown", r.data.label)
    assert.are.equal("warming", r.status)
  end)
end)
