--- Declarations: what is taken, and how a mistake is answered: one line, with its place and what is allowed.
local petrosa = require "petrosa"

-- A whole declaration in which some fields are replaced; "nil" leaves one out.
local function text(changes, head)
  local fields = {
    api = "1", name = '"x"', about = '"for a spec"', needs = '{ candles = { span = "30d" } }', outputs = '{ a = "quote" }',
    compute = "function() return { a = 1 } end",
  }
  for k, v in pairs(changes or {}) do fields[k] = v end
  local order = { "api", "name", "about", "method", "method_version", "shape", "every", "needs", "params", "outputs", "compute", "classify", "extra" }
  local lines = { (head or "") .. "return " .. (changes and changes.kind or "calculator") .. " {" }
  for _, key in ipairs(order) do
    if fields[key] and fields[key] ~= "nil" then lines[#lines + 1] = "  " .. key .. " = " .. fields[key] .. "," end
  end
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n")
end

local function load(changes) return petrosa.load(text(changes)) end

local function declaration(changes) return assert(load(changes)):declaration() end

local function refused(want, changes)
  local script, why = load(changes)
  assert.is_nil(script)
  assert.is_nil(why:find("\n"), "one line")
  assert.is_truthy(why:find(want, 1, true), want .. " expected in: " .. why)
  return tonumber(why:match(":(%d+):"))
end

describe("a declaration", function()
  it("comes back with its defaults", function()
    local d = declaration()
    assert.are.same({
      api = 1, kind = "calculator", name = "x", about = "for a spec", method = "for a spec", method_version = "1", shape = "data", every = {},
      needs = { candles = { span = "30d", bars = 1, min = 1, benchmark = false, trades = false } },
      params = {}, outputs = { { name = "a", type = "number", unit = "quote" } },
    }, d)
  end)

  it("comes back as it was given", function()
    local d = declaration {
      method = '"m"', method_version = '"2"', shape = '"values"', every = '{ "1h", "1d" }',
      needs = '{ candles = { span = "90d", bars = function(p) return 2 * p.n end, min = 21, benchmark = true, trades = true } }',
      params = [[{ n = int { default = 20, min = 2, max = 500, unit = "bars", about = "length" }, k = number { default = 2, min = 0.5 },
        on = bool { default = true }, how = enum { "a", "b", default = "b", about = "way" } }]],
    }
    assert.are.equal("values", d.shape)
    assert.are.same({ "1h", "1d" }, d.every)
    assert.are.same({ span = "90d", bars = 40, min = 21, benchmark = true, trades = true }, d.needs.candles)
    assert.are.same({
      { name = "how", type = "enum", default = "b", words = { "a", "b" }, about = "way" },
      { name = "k", type = "number", default = 2, min = 0.5 },
      { name = "n", type = "int", default = 20, min = 2, max = 500, unit = "bars", about = "length" },
      { name = "on", type = "bool", default = true },
    }, d.params)
  end)

  it("keeps the order of a list of outputs and sorts a table", function()
    local list = declaration { outputs = [[{ { "z", "sd" }, { "a", count { about = "how many" } }, { "t", text { words = { "u", "v" } } },
      { "m", map { keys = { "2", "10" }, fields = { { "ratio", "ratio" }, { "n", count {} } } } }, { "h", map { keys = "0..2", unit = "quote" } },
      { "l", list { unit = "bp" } }, { "s", number { unit = "ratio", stored = "stored_name" } } }]] }.outputs
    assert.are.same({
      { name = "z", type = "number", unit = "sd" }, { name = "a", type = "int", unit = "count", about = "how many" },
      { name = "t", type = "text", words = { "u", "v" } },
      { name = "m", type = "map", keys = { "2", "10" }, fields = { { name = "ratio", type = "number", unit = "ratio" }, { name = "n", type = "int", unit = "count" } } },
      { name = "h", type = "map", unit = "quote", keys = { "0", "1", "2" } }, { name = "l", type = "list", unit = "bp" },
      { name = "s", type = "number", unit = "ratio", stored = "stored_name" },
    }, list)
    local sorted = declaration { outputs = '{ c = "sd", a = "sd", b = "sd" }' }.outputs
    assert.are.same({ "a", "b", "c" }, { sorted[1].name, sorted[2].name, sorted[3].name })
  end)

  it("may be of a regime", function()
    local d = declaration { kind = "regime", needs = '{ metrics = { "volatility", "volume" } }', compute = "nil", classify = "function() end" }
    assert.are.equal("regime", d.kind)
    assert.are.same({ metrics = { "volatility", "volume" } }, d.needs)
  end)
end)

describe("a mistake in a declaration", function()
  it("is named with its line", function()
    assert.are.equal(3, refused('name: must be a-z, then a-z, 0-9, _, at most 41 long, got "X y"', { name = '"X y"' }))
    assert.are.equal(4, refused("about: must be a text of 1 to 400 bytes, got nothing", { about = "false and 1 or nil" }) and 4)
    assert.are.equal(5, refused('needs.candles.span: must be a span such as "90d" or "24h", got "a month"', { needs = '{ candles = { span = "a month" } }' }))
    assert.are.equal(5, refused("every: \"1x\" is no period (known: 1m, 3m, 5m,", { every = '{ "1h", "1x" }' }))
    assert.are.equal(6, refused("outputs.b: unit \"dollars\" is not known (known: quote, base, percent", { outputs = '{ a = "quote", b = "dollars" }' }))
    assert.are.equal(7, refused("compute: must be a function, got nothing", { compute = "nil" }) and 7)
    assert.are.equal(8, refused("calculator: unknown field \"extra\" (allowed: api, name,", { extra = "5" }) + 7)
  end)

  it("in a parameter is named at its constructor", function()
    local cases = {
      ["int: default is missing"] = "int { min = 1 }",
      ["int: default must be a whole number, got 1.5"] = "int { default = 1.5 }",
      ["int: default 9 is above max 5"] = "int { default = 9, max = 5 }",
      ["int: default 1 is below min 2"] = "int { default = 1, min = 2 }",
      ["int: min 3 is above max 2"] = "int { default = 1, min = 3, max = 2 }",
      ['int: unknown field "step" (allowed: default, min, max, unit, about)'] = "int { default = 1, step = 2 }",
      ['int: unit "days" is not known'] = 'int { default = 1, unit = "days" }',
      ["number: default must be a number, got a table"] = "number { default = {} }",
      ["number: default must be a number, got inf"] = "number { default = 1 / 0 }",
      ["bool: default must be true or false, got 1"] = "bool { default = 1 }",
      ['span: default must be a span such as "30d" or "24h", got 5'] = "span { default = 5 }",
      ['span: max must be a span such as "30d" or "24h", got "x"'] = 'span { default = "1d", max = "x" }',
      ['span: default "1d" is below min "2d"'] = 'span { default = "1d", min = "2d" }',
      ['span: default "9d" is above max "1w"'] = 'span { default = "9d", max = "1w" }',
      ['span: unknown field "unit" (allowed: default, min, max, about)'] = 'span { default = "1d", unit = "bars" }',
      ['enum: default "c" is none of its words'] = 'enum { "a", "b", default = "c" }',
      ['enum: word "a" is there twice'] = 'enum { "a", "a", default = "a" }',
      ["enum: words must be a list"] = "enum { default = 1 }",
      ["params.p: must be int, number, bool, enum or span { default = ... }"] = "5",
      ["takes a table, int { ... }"] = "int(5)",
    }
    for want, param in pairs(cases) do assert.are.equal(6, refused(want, { params = "{ p = " .. param .. " }" })) end
    refused("params.as_of: this name is taken by the API", { params = "{ as_of = int { default = 1 } }" })
    refused("params.A: name must be a-z", { params = "{ A = int { default = 1 } }" })
  end)

  it("in an output says what may stand there", function()
    local cases = {
      ["outputs: there are none"] = "{}",
      ["outputs: must be a table of outputs, got nothing"] = "nil",
      ["outputs: entry 1 must be { name, unit }"] = '{ "quote" }',
      ["outputs: either a list of { name, unit } or a table name = unit, not both"] = '{ a = "quote", { "b", "quote" } }',
      ["outputs.a: is there twice"] = '{ { "a", "quote" }, { "a", "quote" } }',
      ["outputs.timestamp: this name is taken"] = '{ timestamp = "seconds" }',
      ["outputs.a: must be a unit or one of number, count, bool, text, record, map, list, matrix, got 5"] = "{ a = 5 }",
      ["outputs.a: must be a unit or one of number, count, bool, text, record, map, list, matrix"] = "{ a = int { default = 1 } }",
      ["number: unit nothing is not known"] = "{ a = number {} }",
      ["number: a parameter needs a default; an output has no min or max"] = '{ a = number { unit = "sd", min = 1 } }',
      ["map: takes either unit or fields"] = '{ a = map { keys = "0..2" } }',
      ['map: keys must be a list of texts or a range such as "0..23", got "a..b"'] = '{ a = map { keys = "a..b", unit = "sd" } }',
      ['map: key "1" is there twice'] = '{ a = map { keys = { "1", "1" }, unit = "sd" } }',
      ["map: key 1 must be a text of letters, digits, _ and -, got \"a.b\""] = '{ a = map { keys = { "a.b" }, unit = "sd" } }',
      ["map: field z: unit \"q\" is not known"] = '{ a = map { keys = "0..1", fields = { { "z", "q" } } } }',
      ["map: field 1 must be { name, unit }"] = '{ a = map { keys = "0..1", fields = { "z" } } }',
      ["text: words must be a list"] = "{ a = text { words = {} } }",
      ["record: fields must be a list of { name, unit }"] = "{ a = record {} }",
      ["record: field x is there twice"] = '{ a = record { fields = { { "x", "sd" }, { "x", "sd" } } } }',
      ["matrix: unit nothing is not known"] = "{ a = matrix {} }",
      ["outputs.a: a matrix needs the symbols of a market: needs = { market = { ... } }"] = '{ a = matrix { unit = "sd" } }',
      ['outputs.a: keys = "symbols" needs the symbols of a market'] = '{ a = map { keys = "symbols", unit = "sd" } }',
    }
    for want, outputs in pairs(cases) do refused(want, { outputs = outputs }) end
  end)

  it("in what it needs says what may stand there", function()
    local cases = {
      ["needs: must name candles, books, metrics or market"] = "{}",
      ["needs: must be a table"] = "5",
      ['needs: unknown field "trades" (allowed: candles, books, funding, marks, metrics, market)'] = "{ trades = true }",
      ["needs.market: must be a table"] = "{ market = true }",
      ['needs.market: unknown field "benchmark" (allowed: span, bars, min, symbols)'] = '{ market = { span = "1d", benchmark = true } }',
      ['needs.market.span: must be a span such as "30d", or the name of a span parameter, got "w"'] = '{ market = { span = "w" } }',
      ["needs.market.bars: gives nothing for the defaults"] = '{ market = { span = "1d", bars = function() end } }',
      ["needs.market.symbols: must be a whole number 1 .. 16384, got 0"] = '{ market = { span = "1d", symbols = 0 } }',
      ["needs.market: stands alone: candles are of one symbol, a market is of all"] = '{ market = { span = "1d" }, candles = { span = "1d" } }',
      ["needs.market: stands alone: books are"] = '{ market = { span = "1d" }, books = { span = "1h" } }',
      ["needs.market: stands alone: metrics are"] = '{ market = { span = "1d" }, metrics = { "volume" } }',
      ["needs.candles.bars: must be a whole number 1 .. 10000000 or a function(p) that gives one, got 0"] = '{ candles = { span = "1d", bars = 0 } }',
      ["needs.candles.bars: gives nothing for the defaults"] = '{ candles = { span = "1d", bars = function() end } }',
      ["needs.candles.min: gives 1.5 for the defaults"] = '{ candles = { span = "1d", min = function() return 1.5 end } }',
      ["needs.candles.benchmark: must be true or false, got 1"] = '{ candles = { span = "1d", benchmark = 1 } }',
      ["needs.metrics: entry 2 must be the name of a script, got 5"] = '{ metrics = { "volume", 5 } }',
      ['needs.metrics: "volume" is there twice'] = '{ metrics = { "volume", "volume" } }',
    }
    for want, needs in pairs(cases) do refused(want, { needs = needs }) end
    refused("needs.market: a regime is of one symbol and cannot look at the market",
      { kind = "regime", needs = '{ market = { span = "1d" } }', compute = "nil", classify = "function() end" })
    refused("needs.metrics: a regime needs metrics", { kind = "regime", compute = "nil", classify = "function() end" })
  end)

  it("of the api says what to do", function()
    refused("api: is missing: write api = 1", { api = "nil" })
    refused("api: api = 2 is not known here (known: 1); run it with the petrosa it was written for, or port it to api = 1", { api = "2", extra = "5" })
  end)

  it("of the kind is a name that is not there", function()
    refused("unknown name 'indicator'", { kind = "indicator" })
  end)

  it("of the file: it must return what was declared", function()
    for _, code in ipairs { "local x = 1", "return 5", "return {}", "calculator {}" } do
      assert.is_nil((petrosa.load(code .. "\n")))
    end
    local _, why = petrosa.load("return {}\n", "calculators/a.lua")
    assert.are.equal("calculators/a.lua:1: the file must return calculator { ... }, regime { ... }, anomaly { ... } or alert { ... }, it returned a table",
      why)
    _, why = petrosa.load("return calculator {\n  api = 1,\n  name =\n}\n", "calculators/a.lua")
    assert.matches("^calculators/a.lua:4: unexpected symbol near '}'", why)
  end)
end)

describe("what a constructor gives", function()
  it("shows nothing of itself and cannot be changed afterwards", function()
    for _, made in ipairs { "int { default = 5, max = 9 }", "enum { 'a', 'b', default = 'a' }", "map { keys = '0..3', unit = 'none' }", "text { words = { 'a' } }" } do
      local shown = { petrosa.eval("local t = " .. made .. " return t.type == nil, t.words == nil, t.keys == nil, next(t) == nil") }
      assert.are.same({ true, true, true, true }, shown)
      assert.has_error(function() petrosa.eval("local t = " .. made .. " t.type = 'enum'") end)
    end
  end)

  it("is not bent by adding to the table that stands for it, nor by the tables it was made of", function()
    local script = assert(petrosa.load([[
      local words, t = { "a", "b" }, nil
      t = enum { default = "a", words = words }
      table.insert(t, 5)
      words[1] = 7
      return calculator { api = 1, name = "x", about = "x", needs = { candles = { span = "5h" } }, params = { t = t },
        outputs = { a = text { words = { "a", "b" } } }, compute = function(_, p) return { a = p.t } end }]]))
    assert.are.equal("a", script:run({ close = { 1 } }).data.a)
    assert.are.equal("b", script:run({ close = { 1 }, params = { t = "b" } }).data.a)
  end)
end)

describe("a whole number given for a parameter", function()
  it("is one that a double holds exactly", function()
    local script = assert(petrosa.load([[return calculator { api = 1, name = "x", about = "x", needs = { candles = { span = "5h" } },
      params = { n = int { default = 1 } }, outputs = { a = "none" }, compute = function(_, p) return { a = p.n } end }]]))
    assert.are.equal(2 ^ 53 - 1, script:run({ close = { 1 }, params = { n = 2 ^ 53 - 1 } }).data.a)
    for _, n in ipairs { 2 ^ 53, 2 ^ 63, 1e300, 1.5, 1 / 0, 0 / 0 } do
      assert.has_error(function() script:run({ close = { 1 }, params = { n = n } }) end, "parameter n: a whole number expected")
    end
  end)
end)
