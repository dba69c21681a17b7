--- Order books: what a script sees of them, how they are declared, and what it may not do with them.
local petrosa = require "petrosa"
local covered = {}

local T = 1704067200
local BOOKS = {
  { time = T - 5000, bids = { { 1, 1 } }, asks = { { 2, 1 } } }, -- before the span
  { time = T - 100, bids = { { 100, 1 } }, asks = { { 101, 2 } } },
  { time = T - 30 },
  { time = T - 10, bids = { { 100, 1 } }, asks = { { 104, 2 } } },
  { time = T + 0.0005, bids = { { 99, 3 }, { 98, 4 } }, asks = { { 102, 5 }, { 103, 6 }, { 104, 7 } } },
}

local function declared(needs, body, outputs)
  return petrosa.load([[
return calculator {
  api = 1, name = "look", about = "for a spec",
  needs = ]] .. needs .. [[,
  outputs = ]] .. (outputs or [[{ { "a", list { unit = "none" } } }]]) .. [[,
  compute = function(w) local b = w.books ]] .. body .. [[ end,
}]])
end

local function look(expression, input)
  for name in expression:gmatch("b[%.:]([%a_]+)") do covered[name] = true end
  local script = assert(declared('{ books = { span = "1h" } }',
    "local a = " .. expression .. " return { a = type(a) == 'number' and { a } or a }"))
  local result = script:run(input or { books = BOOKS })
  if result.status == "error" then error(result.metadata.error.message, 0) end
  return result.data.a, result
end

describe("the books of a window", function()
  it("are the rows of the span, up to the newest one", function()
    assert.same({ 4 }, look("b.n"))
    assert.same({ T - 100, T - 30, T - 10, T + 0.0005 }, look("b.time"))
    assert.same({ T + 0.001 }, look("b.as_of")) -- whole milliseconds
    assert.same({ 3600 }, look("b.seconds"))
    assert.same({ 1 }, look("b.breaks"))
  end)

  it("have best prices, which a break has not", function()
    local bid, ask = look("b.best_bid:compact()"), look("b.best_ask:compact()")
    assert.same({ 100, 100, 99 }, bid)
    assert.same({ 101, 104, 102 }, ask)
    assert.same({ 3 }, look("(b.best_ask - b.best_bid):count()"))
  end)

  it("have the levels of the newest one, best first", function()
    assert.same({ 99, 98 }, look("b.bid_price"))
    assert.same({ 3, 4 }, look("b.bid_quantity"))
    assert.same({ 102, 103, 104 }, look("b.ask_price"))
    assert.same({ 5, 6, 7 }, look("b.ask_quantity"))
  end)

  it("stood until the next one, a minute at most, in whole microseconds", function()
    assert.same({ 60000000, 0, 10000500, 500 }, look("b:stood()"))
    assert.same({ 5000000, 0, 5000000, 500 }, look("b:stood(5)"))
    assert.near(100 * 70.001 / 3600, look("b.completeness")[1], 1e-12)
    for _, most in ipairs { "0", "-1", "0 / 0", "1e10", "'x'" } do
      assert.matches("stood", select(2, pcall(look, "b:stood(" .. most .. ")")), 1, true)
    end
  end)

  it("say in the result how it is", function()
    local _, result = look("b.n")
    assert.equal("gap", result.status)
    assert.equal("1h", result.metadata.window)
    assert.equal(4, result.metadata.rows)
    assert.equal(1, result.metadata.gaps)
    assert.is_nil(result.metadata.expected)
    assert.equal(T + 0.001, result.as_of)
  end)

  it("see nothing behind the moment asked for", function()
    assert.same({ 100 }, look("b.bid_price", { books = BOOKS, as_of = T + 0.0009 })) -- rounded down to T
    assert.equal("gap", select(2, look("b.n", { books = BOOKS, as_of = T - 20 })).status)
    assert.equal("empty", select(2, look("b.n", { books = BOOKS, as_of = T - 9000 })).status)
  end)

  it("are of one call, read-only and plain", function()
    assert.matches("books are read%-only", select(2, pcall(look, "(function() b.n = 1 end)()")))
    assert.matches("books have no field or method 'nothing'", select(2, pcall(look, "b.nothing")))
    assert.matches("books have no elements", select(2, pcall(look, "b[1]")))
    assert.matches("read%-only", select(2, pcall(look, "b.bid_price:set(1, 2)")))
    assert.matches("books expected", select(2, pcall(look, "b.stood(w)")))
    local script = assert(petrosa.load([[
local kept
return calculator { api = 1, name = "keeps", about = "keeps books", needs = { books = { span = "1h" } }, outputs = { a = "none" },
  compute = function(w) local b = kept or w.books kept = b return { a = b.n } end }]]))
    assert.equal("gap", script:run({ books = BOOKS }).status)
    assert.matches("books from an earlier call", script:run({ books = BOOKS }).metadata.error.message)
  end)

  it("come without bars when none are declared, and with those of a period of their own", function()
    assert.same({ 0 }, look("w.n"))
    assert.matches("candles are not declared", select(2, pcall(look, "w.close")))
    local script = assert(declared('{ books = { span = "1h" }, candles = { span = "3h", period = "1h" } }',
      'return { a = w.close, period = w.period, n = w.expected }',
      '{ { "a", list { unit = "quote" } }, { "period", text {} }, { "n", count {} } }'))
    local input = { books = BOOKS, period = "15m", start = T - 4 * 3600, close = { 1, 2, 3, 4, 5, 6 } }
    local result = script:run(input)
    assert.same({ a = { 2, 3, 4 }, period = "1h", n = 3 }, result.data) -- closed by then, the last three hours
    assert.equal("15m", result.timeframe)
    input.close = nil
    assert.same({ a = {}, period = "1h", n = 3 }, script:run(input).data)
  end)

  it("warm up only with bars that are asked for", function()
    local script = assert(declared('{ books = { span = "1h" }, candles = { span = "3h", period = "1h", min = 2 } }',
      'return { a = w.close }'))
    assert.equal("warming", script:run({ books = BOOKS }).status)
  end)
end)

describe("a bool", function()
  it("is an output that is true or false", function()
    local script = assert(declared('{ books = { span = "1h" } }', 'return { a = b.n > 3, m = { x = { y = false } } }',
      '{ { "a", bool { about = "more than three" } }, { "m", map { keys = { "x" }, fields = { { "y", bool {} } } } } }'))
    assert.same({ a = true, m = { x = { y = false } } }, script:run({ books = BOOKS }).data)
    assert.equal("bool", script:declaration().outputs[1].type)
    script = assert(declared('{ books = { span = "1h" } }', 'return { a = 1 }', '{ { "a", bool {} } }'))
    assert.matches("output a: true or false expected, got number", script:run({ books = BOOKS }).metadata.error.message)
  end)
end)

describe("a declaration of books", function()
  it("is checked word by word", function()
    for needs, why in pairs {
      ['{ books = 1 }'] = "needs.books: must be a table",
      ['{ books = { } }'] = "needs.books.span: must be a span such as",
      ['{ books = { span = "soon" } }'] = 'needs.books.span: must be a span such as "1h" or "15m", got "soon"',
      ['{ books = { span = "1h", max_age = 5 } }'] = 'needs.books.max_age: must be a span such as "5s", got 5',
      ['{ books = { span = "1h", levels = 5 } }'] = 'needs.books: unknown field "levels" (allowed: span, max_age, breaks)',
      ['{ books = { span = "1h", breaks = 1 } }'] = 'needs.books.breaks: must be true or false, got 1',
      ['{ candles = { span = "1h", period = "7m" } }'] = 'needs.candles.period: "7m" is no period',
    } do
      local script, text = declared(needs, "return { a = {} }")
      assert.is_nil(script)
      assert.is_truthy(text:find(why, 1, true), text)
    end
    assert.equal("5s", assert(declared('{ books = { span = "1h" } }', "return {}")):declaration().needs.books.max_age)
  end)
end)

describe("the reference of books", function()
  it("names nothing that is not tried above", function()
    for _, entry in ipairs(petrosa.reference()) do
      if entry.group:match("^Books") then
        for name in entry.signature:gmatch("b[%.:]([%a_]+)") do assert.is_true(covered[name], name .. " has no test") end
      end
    end
  end)
end)
