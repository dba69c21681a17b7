--- Markets and matrices: what a script sees of all symbols at once.
local petrosa = require "petrosa"

local HEAD = 'return calculator { api = 1, name = "x", about = "x", needs = { market = { span = "%s", bars = %s, min = %d, symbols = %d } },\n'

-- Runs `body` as compute(m, p) over a market of closes; outputs are what it declares.
local function run(outputs, body, market, options)
  options = options or {}
  local head = HEAD:format(options.span or "10h", options.bars or "1", options.min or 1, options.symbols or 1)
  local params = options.declared and "params = " .. options.declared .. ",\n" or ""
  local script = assert(petrosa.load(head .. params .. "outputs = " .. outputs .. ",\ncompute = function(m, p)\n" .. body .. "\nend }\n", "calculators/x.lua"))
  return script:run { period = options.period or "1h", market = market, params = options.params, benchmark = options.benchmark, as_of = options.as_of }
end

-- The values of an expression list, as list l.
local function look(expression, market, options)
  local r = run('{ { "l", list { unit = "none" } } }', "return { l = { " .. expression .. " } }", market, options)
  assert.is_nil(r.metadata.error, r.metadata.error and r.metadata.error.message)
  return r.data.l, r
end

local function fault(body, market, options)
  local r = run('{ { "l", list { unit = "none" } } }', body, market, options)
  assert.are.equal("error", r.status)
  return r.metadata.error.message
end

local function bars(close, first)
  local out = { close = close, volume = {}, time = {} }
  for i = 1, #close do
    out.time[i] = 1704067200 + ((first or 1) + i - 1) * 3600
    out.volume[i] = 10 * i
  end
  return out
end

local function three()
  return { BTCUSDT = bars { 1, 2, 4, 8, 4, 2, 4, 8, 16, 8 }, ETHUSDT = bars({ 5, 6, 7, 6, 5, 6, 7, 8 }, 2),
           ADAUSDT = bars { 3, 1, 2, 3, 5, 4, 3, 1, 2, 3 } }
end

local covered = {}

describe("a market", function()
  it("has the symbols in order, on one grid that ends with the newest close", function()
    local l, r = look('m.n, m.rows, m.seconds, m.as_of, #m.symbols', three())
    assert.are.same({ 3, 10, 3600, 1704067200 + 11 * 3600, 3 }, l)
    assert.are.same({ "ADAUSDT", "BTCUSDT", "ETHUSDT" }, r.symbols)
    assert.are.equal("", r.symbol)
    assert.are.same({ 10, 10, 2, 2, 100 * 28 / 30 },
      { r.metadata.rows, r.metadata.expected, r.metadata.gaps + 1, r.metadata.missing + 1, r.metadata.completeness })
    assert.is_string(r.metadata.blas)
    for _, name in ipairs { "n", "rows", "seconds", "as_of", "symbols" } do covered[name] = true end
  end)

  it("counts as missing what a symbol lacks from its first bar on", function()
    local market = three()
    table.remove(market.BTCUSDT.close, 4)
    table.remove(market.BTCUSDT.time, 4)
    local _, r = look("m.n", market)
    assert.are.equal("gap", r.status)
    assert.are.same({ 2, 2 }, { r.metadata.gaps, r.metadata.missing }) -- ETHUSDT ends a bar before the others
  end)

  it("says where it is in words", function()
    local r = run('{ { "t", text {} }, { "p", text {} }, { "b", text {} } }',
      'return { t = tostring(m), p = m.period, b = m.benchmark }', three())
    assert.are.same({ t = "market", p = "1h", b = "BTCUSDT" }, { t = r.data.t:match("^market"), p = r.data.p, b = r.data.b })
    covered.period, covered.benchmark = true, true
    local other = three()
    other.BTCUSDT = nil
    assert.are.equal("ADAUSDT", look("m.n", other) and select(2, look("m.n", other)).metadata.benchmark)
    assert.are.equal("ETHUSDT", select(2, look("m.n", other, { benchmark = "ETHUSDT" })).metadata.benchmark)
  end)

  it("gives the columns of one symbol, missing where it has no bar", function()
    local l = look('m:column("ETHUSDT"):get(1), m:column("ETHUSDT"):get(2), m:column("ADAUSDT", "volume"):sum(), #m:column("ETHUSDT")', three())
    assert.are.same({ nil, 5, 550, 10 }, { l[1], l[2], l[3], l[4] })
    covered.column = true
  end)

  it("gives returns, none in the first row", function()
    local l = look('m:log_returns("BTCUSDT"):get(1), m:log_returns("BTCUSDT"):get(2), m:simple_returns("BTCUSDT"):get(5), m:log_returns("ETHUSDT"):count()', three())
    assert.is_nil(l[1])
    assert.are.same({ math.log(2), -0.5, 7 }, { l[2], l[3], l[4] })
    covered.log_returns, covered.simple_returns = true, true
  end)

  it("last(n) knows nothing outside itself", function()
    local l = look([[m:last(3).rows, m:last(3):log_returns("BTCUSDT"):get(1), m:last(3):log_returns("BTCUSDT"):get(2),
      m:last(99).rows, m:last(0).rows, m:last(3):simple_returns("BTCUSDT"):count()]], three())
    assert.are.same({ 3, nil, math.log(2), 10, 0, 2 }, { l[1], l[2], l[3], l[4], l[5], l[6] })
    assert.are.same({ 1, 2 }, look('(m:last(1):pearson()):get(1, 1) ~= (m:last(1):pearson()):get(1, 1) and 1 or 0, #m:last(5):column("ADAUSDT") - 3', three()))
    covered.last = true
  end)

  it("pearson and spearman are those of each pair", function()
    local l = look([[(m:pearson()):get(1, 2), (m:log_returns("ADAUSDT"):pearson(m:log_returns("BTCUSDT"))),
      (select(2, m:pearson())):get(1, 3), (m:pearson(8)):get(1, 3) ~= (m:pearson(8)):get(1, 3) and 1 or 0, (m:pearson()):get(2, 2), (m:spearman()):get(2, 1)]], three())
    assert.is_near(l[2], l[1], 1e-12)
    assert.are.same({ 7, 1, 1 }, { l[3], l[4], l[5] })
    -- ranks by hand, ties sharing theirs
    local function ranks(x)
      local out = {}
      for i, v in ipairs(x) do
        local below, same = 0, 0
        for _, u in ipairs(x) do
          below, same = below + (u < v and 1 or 0), same + (u == v and 1 or 0)
        end
        out[i] = below + (same + 1) / 2
      end
      return out
    end
    local a, b = {}, {}
    local m = three()
    for i = 2, 10 do
      a[#a + 1] = math.log(m.ADAUSDT.close[i] / m.ADAUSDT.close[i - 1])
      b[#b + 1] = math.log(m.BTCUSDT.close[i] / m.BTCUSDT.close[i - 1])
    end
    assert.is_near((petrosa.eval("local v, u = ... return v:pearson(u)", ranks(a), ranks(b))), l[6], 1e-12)
    covered.pearson, covered.spearman = true, true
  end)

  it("ledoit_wolf needs 20 rows that all have", function()
    assert.are.same({ 7 }, look("(select(2, m:ledoit_wolf()))", three()))
    assert.are.same({ 1 }, look("(m:ledoit_wolf()) ~= (m:ledoit_wolf()) and 1 or 0", three()))
    local x, y = {}, {}
    for i = 1, 60 do x[i], y[i] = 5 + math.sin(i * i), 5 + math.sin(i * i) + 0.3 * math.cos(7 * i * i) end
    local l = look("(m:ledoit_wolf()), (select(2, m:ledoit_wolf())), (select(3, m:ledoit_wolf())):get(1, 2), (m:pearson()):get(1, 2)",
      { AUSDT = bars(x), BUSDT = bars(y) }, { span = "60h" })
    assert.is_true(l[1] > 0 and l[1] < 0.2)
    assert.are.equal(59, l[2])
    assert.is_near((1 - l[1]) * l[4], l[3], 1e-12)
    covered.ledoit_wolf = true
  end)

  it("breadth counts those with a last bar and enough closes", function()
    local l = look("m:breadth(3)", three())
    -- ADAUSDT 1 2 3: above, rose; BTCUSDT 8 16 8: below, fell; ETHUSDT has no last bar
    assert.are.same({ 50, 50, 0, 2 }, l)
    assert.are.equal(0, look("m:breadth(11)", three())[4] or 0)
    covered.breadth = true
  end)

  it("says what it does not have", function()
    assert.matches("'XUSDT' is none of m.symbols", fault('return { l = m:column("XUSDT") }', three()))
    assert.matches("a bar has no column 'price'", fault('return { l = m:column("BTCUSDT", "price") }', three()))
    assert.matches("market has no field or method 'close'", fault("return { l = m.close }", three()))
    assert.matches("a market has no elements", fault("return { l = m[1] }", three()))
    assert.matches("a market is read%-only", fault("m.x = 1", three()))
    assert.matches("market expected", fault("return { l = m.last(5, 3) }", three()))
    assert.matches("a whole number", fault("return { l = m:last(-1) }", three()))
  end)

  it("is gone after its call", function()
    local script = assert(petrosa.load(HEAD:format("10h", "1", 1, 1) .. [[
      outputs = { a = "none" }, compute = (function() local kept, cells return function(m)
        if kept then return { a = kept.n } end
        kept = m
        return { a = 1 } end end)() }]]))
    script:run { period = "1h", market = three() }
    assert.matches("market from an earlier call", script:run({ period = "1h", market = three() }).metadata.error.message)
  end)

  it("holds nobody without a bar in the window, and nothing before it", function()
    local market = three()
    market.GONEUSDT = bars({ 1, 2, 3 }, 1)
    local l, r = look("m.n, m.rows", market, { span = "5h" })
    assert.are.same({ 3, 5 }, l)
    assert.are.same({ "ADAUSDT", "BTCUSDT", "ETHUSDT" }, r.symbols)
  end)

  it("is warming below min bars or symbols, empty without any", function()
    assert.are.equal("warming", run('{ a = "none" }', "return { a = 1 }", three(), { min = 11, span = "20h" }).status)
    local r = run('{ a = "none" }', "return { a = 1 }", three(), { symbols = 4 })
    assert.are.equal("warming", r.status)
    assert.are.same({ a = "warming" }, r.metadata.reasons)
    assert.are.equal("empty", run('{ a = "none" }', "return { a = 1 }", {}).status)
  end)

  it("is not for a script of one symbol, nor bars for a script of the market", function()
    local one = assert(petrosa.load('return calculator { api = 1, name = "x", about = "x", needs = { candles = { span = "5h" } }, '
      .. 'outputs = { a = "none" }, compute = function() return { a = 1 } end }'))
    assert.error_matches(function() one:run { market = three() } end, "a market for a script that needs none")
    assert.error_matches(function() run('{ a = "none" }', "return { a = 1 }", nil) end, "market = { SYMBOL = { columns } } expected")
  end)

  it("that is too large says so", function()
    local wide = run('{ a = "none" }', "return { a = 1 }", three(), { span = "3000000h" })
    assert.is_nil(wide.metadata.error) -- 3 symbols x 3,000,000 bars: 72 MB
    assert.error_matches(function() run('{ a = "none" }', "return { a = 1 }", (function()
      local all = {}
      for i = 1, 9 do all["S" .. i .. "USDT"] = bars { 1, 2 } end
      return all
    end)(), { span = "9000000h" }) end, "a market of 8 symbols x 9000000 bars takes 576 MB, at most 536 MB")
  end)
end)

describe("a span parameter", function()
  it("is a text outside and seconds inside, and may be the window", function()
    local declared = '{ look = span { default = "5h", min = "2h", max = "2d" } }'
    local l, r = look("p.look, m.rows", three(), { span = "look", declared = declared })
    assert.are.same({ 5 * 3600, 5 }, l)
    assert.are.same({ "5h", "5h" }, { r.metadata.window, r.metadata.parameters.look })
    l, r = look("p.look, m.rows", three(), { span = "look", declared = declared, params = { look = "48h" } })
    assert.are.same({ 48 * 3600, 48 }, l)
    assert.are.same({ "2d", "2d" }, { r.metadata.window, r.metadata.parameters.look })
    for given, why in pairs { ["1h"] = "parameter look: 1h is not in 2h .. 2d", ["3d"] = "3d is not in", ["x"] = "a span such as '30d' expected", [5] = "a span such as" } do
      assert.error_matches(function() look("1", three(), { span = "look", declared = declared, params = { look = given } }) end, why)
    end
  end)

  it("sizes a window by bars and by the length of a bar", function()
    local l = look("m.rows", three(), { span = "3h", bars = "function(_, seconds) return 14400 / seconds end" })
    assert.are.same({ 4 }, l)
  end)
end)

describe("a matrix", function()
  it("shows cells, rows and their mean", function()
    local l = look([[(m:pearson()):get(1, 3) - (m:pearson()):get(3, 1), (m:pearson()):row(2):get(2), #(m:pearson()):row(1), #(m:pearson()),
      (m:pearson()):mean() - ((m:pearson()):get(1, 2) + (m:pearson()):get(1, 3) + (m:pearson()):get(2, 3)) / 3]], three())
    assert.are.same({ 0, 1, 3, 3 }, { l[1], l[2], l[3], l[4] })
    assert.is_near(0, l[5], 1e-15)
    for _, name in ipairs { "get", "row", "mean" } do covered[name] = true end
  end)

  it("repair leaves a good one as it is", function()
    local l = look([[(m:pearson():repair()):get(1, 2) - (m:pearson()):get(1, 2), select(2, m:pearson():repair()) and 1 or 0,
      (select(3, m:pearson():repair())), (select(4, m:pearson():repair()))]], { AUSDT = three().ADAUSDT, BUSDT = three().BTCUSDT })
    assert.are.same({ 0, 0, 2 }, { l[1], l[2], l[4] })
    assert.is_true(l[3] > 0.5 and l[3] < 1)
    local torn = look("(select(2, m:pearson():repair())) and 1 or 0", three()) -- pairs over other rows contradict
    assert.are.same({ 1 }, torn)
    covered.repair = true
  end)

  it("says what it does not have", function()
    assert.matches("a whole number in 1 .. 3", fault("return { l = { (m:pearson()):get(0, 1) } }", three()))
    assert.matches("a whole number in 1 .. 3", fault("return { l = { (m:pearson()):row(4) } }", three()))
    assert.matches("matrix has no method 'det'", fault("return { l = (m:pearson()):det() }", three()))
    assert.matches("read by x:get", fault("return { l = (m:pearson())[1] }", three()))
    assert.matches("read%-only", fault("(m:pearson()).x = 1", three()))
  end)
end)

describe("the result of a market", function()
  local OUTPUTS = [[{ { "c", matrix { unit = "ratio" } }, { "n", matrix { unit = "count" } }, { "s", map { keys = "symbols", unit = "ratio" } },
    { "f", map { keys = "symbols", fields = { { "a", "ratio" }, { "r", record { fields = { { "low", "sd" }, { "high", count {} } } } } } } },
    { "yes", bool {} }, { "r", record { fields = { { "x", "sd" }, { "in_it", record { fields = { { "y", "bars" } } } } } } } }]]

  local function refused(what)
    return run(OUTPUTS, "local c, n = m:pearson() return { " .. what .. " }", three()).metadata.error.message
  end

  it("holds matrices, maps by symbol, records and flags", function()
    local r = run(OUTPUTS, [[local c, n = m:pearson()
      local s, f = {}, {}
      for i, name in ipairs(m.symbols) do s[name], f[name] = i, { a = i / 2, r = { low = -i, high = i } } end
      f.ETHUSDT.r = null("why")
      return { c = c, n = n, s = s, f = f, yes = true, r = { x = 1, in_it = { y = 0 / 0 } } }]], three())
    assert.is_nil(r.metadata.error, r.metadata.error and r.metadata.error.message)
    assert.are.same({ 9, 9, 7 }, r.data.n[1])
    assert.are.equal(1, r.data.c[3][3])
    assert.are.equal(r.data.c[1][2], r.data.c[2][1])
    assert.are.same({ ADAUSDT = 1, BTCUSDT = 2, ETHUSDT = 3 }, r.data.s)
    assert.are.same({ a = 1, r = { low = -2, high = 2 } }, r.data.f.BTCUSDT)
    assert.are.same({ true, 1 }, { r.data.yes, r.data.r.x })
    assert.are.same({ ["f.ETHUSDT.r"] = "why", ["r.in_it.y"] = "not_finite" }, r.metadata.reasons)
  end)

  it("refuses values of another type, by name", function()
    assert.are.equal("output c: matrix expected, got table", refused("c = {}"))
    assert.are.equal("output c: matrix expected, got market", refused("c = m"))
    assert.are.equal("output n: a matrix in counts has whole numbers below 2^32", refused("n = c"))
    assert.are.equal("output s.XUSDT: is no symbol of the market", refused("s = { XUSDT = 1 }"))
    assert.are.equal("output yes: true or false expected, got number", refused("yes = 1"))
    assert.are.equal("output r.z: was not declared as a field", refused("r = { z = 1 }"))
    assert.are.equal("output r: a table of its fields expected, got matrix", refused("r = c"))
    assert.are.equal("output f.ADAUSDT.r.high: whole number expected, got 0.5", refused('f = { ADAUSDT = { r = { high = 0.5 } } }'))
  end)
end)

describe("the reference of markets", function()
  it("names nothing that is not tried above", function()
    for _, entry in ipairs(petrosa.reference()) do
      if entry.group:match("^Market") or entry.group == "Matrix" then
        assert.is_true(covered[entry.name], entry.name .. " has no test")
      end
    end
  end)
end)
