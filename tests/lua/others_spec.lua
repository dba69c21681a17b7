--- Rows that are no bars: funding payments and mark prices of a span before as_of.
local petrosa = require "petrosa"

local function run(body, input, needs)
  local script = assert(petrosa.load(([[
return calculator {
  api = 1, name = "x", about = "for a spec", needs = { candles = { span = "1h" }, %s },
  outputs = { a = "none", list = list { unit = "none" }, said = text {} },
  compute = function(w)
    %s
  end,
}]]):format(needs or 'funding = { span = "2h" }, marks = { span = "1h" }', body), "x.lua"))
  return script:run(input)
end

local function message(...)
  local result = run(...)
  assert.equal("error", result.status)
  assert.equal(5, result.metadata.error.line)
  return result.metadata.error.message
end

local T0 = 1735689600
local function bars(extra)
  local input = { time = { T0, T0 + 3600 }, close = { 1, 2 } }
  for k, v in pairs(extra or {}) do input[k] = v end
  return input
end

describe("rows that are no bars", function()
  local funding = { time = { T0 - 1, T0, T0 + 7199, T0 + 7200 }, rate = { 0.1, 0.2, 0.3, 0.4 }, mark_price = { 1, 2, 0 / 0 } }

  it("are those of the span before as_of, and nothing later", function()
    assert.same({ 0.2, 0.3 }, run("return { list = w.funding.rate }", bars { funding = funding }).data.list)
    assert.same({ T0, T0 + 7199 }, run("return { list = w.funding.time }", bars { funding = funding }).data.list)
    local earlier = bars { funding = funding, as_of = T0 + 3600 }
    assert.same({ 0.1, 0.2 }, run("return { list = w.funding.rate }", earlier).data.list)
    assert.equal(2, run("return { a = w.funding.n }", bars { funding = funding }).data.a)
    assert.same({ 0.3 }, run("return { list = w.funding.rate }", bars { funding = funding }, 'funding = { span = "1h" }').data.list)
  end)

  it("may be missing: a value is NaN, a symbol without any has empty vectors", function()
    assert.equal("2 nan", run('return { said = w.funding.mark_price:get(1) .. " " .. w.funding.mark_price:get(2) }', bars { funding = funding }).data.said)
    assert.equal(0, run("return { a = w.funding.n + #w.funding.rate + #w.marks.time }", bars()).data.a)
  end)

  it("have the columns of their kind", function()
    local marks = { time = { T0 + 7000 }, mark_price = { 10.5 }, index_price = { 10 }, funding_rate = { 0.001 }, next_funding_time = { T0 + 8000 } }
    local body = "local m = w.marks return { list = { m.mark_price:get(1), m.index_price:get(1), m.funding_rate:get(1), m.next_funding_time:get(1), m.n } }"
    assert.same({ 10.5, 10, 0.001, T0 + 8000, 1 }, run(body, bars { marks = marks }).data.list)
    assert.is_truthy(run("return { a = w.marks.settle_price:get(1) }", bars { marks = marks }).metadata.reasons.a)
  end)

  it("are the same in parts of the window", function()
    assert.equal(2, run("return { a = w:last(1).funding.n }", bars { funding = funding }).data.a)
  end)

  it("must be declared, and cannot be changed", function()
    assert.equal('marks is not declared: needs = { marks = { span = "30d" } }',
      message("return { a = w.marks.n }", bars(), 'funding = { span = "2h" }'))
    assert.is_truthy(message("return { a = w:resample('2h').funding.n }", bars()):find("funding is not declared", 1, true))
    assert.equal("funding has no column 'price'", message("return { a = w.funding.price }", bars()))
    assert.equal("funding is read-only", message("w.funding.x = 1", bars()))
    assert.is_truthy(message("w.funding.rate:set(1, 0)", bars { funding = funding }):find("read-only", 1, true))
  end)

  it("are declared with a span, beside candles", function()
    local cases = {
      ['needs.funding: must be a table { span = "30d" }, got 5'] = "candles = { span = '1h' }, funding = 5",
      ['needs.marks.span: must be a span such as "30d" or "1h", got nothing'] = "candles = { span = '1h' }, marks = {}",
      ['needs.marks: unknown field "bars" (allowed: span)'] = "candles = { span = '1h' }, marks = { span = '1h', bars = 1 }",
      ['needs.funding: needs candles too: their last bar says when'] = "metrics = { 'volume' }, funding = { span = '1h' }",
    }
    for words, needs in pairs(cases) do
      local script, why = petrosa.load(([[return calculator { api = 1, name = "x", about = "y", needs = { %s },
        outputs = { a = "none" }, compute = function() end }]]):format(needs), "x.lua")
      assert.is_nil(script)
      assert.is_truthy(why:find(words, 1, true), why)
    end
  end)
end)
