local cjson = require "cjson"
local support = require "tests.lua.scripts.support"

describe("spread", function()
  local script = support.calculator("spread")

  local BIDS = { { 100, 1 }, { 99.5, 2 } }
  local ASKS = { { 101, 3 }, { 102, 4 } }

  --- Books of one second each from the given list; false is a break.
  local function books(list, step)
    local out = {}
    for i, book in ipairs(list) do
      out[i] = { time = 1704067200 + (i - 1) * (step or 1), bids = book and book[1], asks = book and book[2] }
    end
    return { books = out }
  end

  describe("golden numbers", function()
    for number, case in ipairs(support.cases("spread")) do
      it(("equal the oracle's, case %d: %s%s"):format(number, case.books, case.as_of ~= cjson.null and " in the past" or ""), function()
        if case.expect.status == "empty" then
          assert.equal("empty", support.run(script, case).status)
        else
          assert.same({}, support.differences(support.run(script, case), case.expect))
        end
      end)
    end
  end)

  describe("purity", function()
    local names = { "steady", "breaks", "uneven", "flat" }

    it("gives the same bits twice, in two orders, and from a fresh sandbox", function()
      local other, first = support.calculator("spread"), {}
      for _, name in ipairs(names) do first[name] = support.bits(script:run(support.books(name))) end
      for i = #names, 1, -1 do
        assert.equal(first[names[i]], support.bits(script:run(support.books(names[i]))))
        assert.equal(first[names[i]], support.bits(other:run(support.books(names[i]))))
      end
    end)

    it("does not change when later books arrive, nor by books before the span", function()
      local whole = support.books("steady")
      local n = #whole.books
      local cut = support.books("steady")
      for i = n, n - 1, -1 do cut.books[i] = nil end
      local as_of = whole.books[n - 2].time + 0.001
      assert.equal(support.bits(script:run(cut)), support.bits(script:run(support.books("steady", { as_of = as_of }))))
      local late = support.books("steady")
      local rows = script:run(late).metadata.rows
      assert.is_true(rows < n)
      for _ = 1, n - rows do table.remove(late.books, 1) end
      assert.equal(support.bits(script:run(whole)), support.bits(script:run(late)))
    end)

    it("asked again for its own as_of gives the same", function()
      local result = script:run(support.books("steady"))
      local again = script:run(support.books("steady", { as_of = result.as_of }))
      assert.equal(result.as_of, again.as_of)
      assert.equal(support.bits(result), support.bits(again))
    end)
  end)

  describe("declaration", function()
    local declaration = script:declaration()

    it("says what it needs and when", function()
      assert.equal("data", declaration.shape)
      assert.same({ "1h" }, declaration.every)
      assert.equal("1h", declaration.needs.books.span)
      assert.equal("5s", declaration.needs.books.max_age)
      assert.equal("1h", declaration.needs.candles.period)
    end)

    it("has a unit or fields and a sentence for each output", function()
      for _, output in ipairs(declaration.outputs) do
        assert.is_truthy(output.unit or output.fields, output.name)
        assert.is_true(#output.about > 5, output.name)
      end
    end)
  end)

  it("measures the newest book", function()
    local data = script:run(books { { BIDS, ASKS } }).data
    assert.equal(1, data.bid_ask_spread)
    assert.equal(100.5, data.mid_price)
    assert.near(100 / 100.5, data.spread_percentage, 1e-12)
    assert.near((101 * 1 + 100 * 3) / 4, data.microprice, 1e-12)
    assert.near((3 - 7) / 10, data.order_book_imbalance, 1e-15)
    assert.near(0.5 / 100.5 * 100, data.slippage_estimate, 1e-12)
    assert.same({ bid = 3, ask = 3, covered = false }, data.depth_bp["100"])
    assert.same({ bid = 0, ask = 0, covered = true }, data.depth_bp["25"])
    assert.equal(1, data.slippage["1000"].sell_fill + (1 - (100 + 199) / 1000))
  end)

  it("is null where the levels end, with a word", function()
    local result = script:run(books { { { { 100, 1 } }, { { 101, 0.5 } } } })
    assert.is_nil(result.data.slippage_estimate)
    assert.equal("too_thin", result.metadata.reasons.slippage_estimate)
    assert.near(0.0505, result.data.slippage["1000"].buy_fill, 1e-12)
  end)

  it("gives no average of one book: it stood for no time", function()
    local result = script:run(books { { BIDS, ASKS } })
    assert.equal("ok", result.status)
    assert.equal(0, result.metadata.completeness)
    assert.equal("too_few", result.metadata.reasons.spread_time_weighted)
    assert.equal("too_few", result.metadata.reasons.spread_p95)
  end)

  it("weighs a book by how long it stood, a minute at most", function()
    local wide = { { { 99, 1 } }, { { 102, 1 } } }
    local result = script:run(books({ { BIDS, ASKS }, wide, { BIDS, ASKS } }, 300))
    assert.equal(2, result.data.spread_time_weighted) -- 1 and 3, a minute each
    assert.near(100 * 120 / 3600, result.metadata.completeness, 1e-12)
  end)

  it("says gap after a break, and counts only what was known", function()
    local result = script:run(books({ { BIDS, ASKS }, false, { BIDS, ASKS }, { BIDS, ASKS } }, 10))
    assert.equal("gap", result.status)
    assert.equal(1, result.metadata.gaps)
    assert.equal(4, result.metadata.rows)
    assert.near(100 * 20 / 3600, result.metadata.completeness, 1e-12)
    assert.equal(1, result.data.spread_time_weighted)
  end)

  it("gives only what needs no levels while the newest row is a break", function()
    local input = support.books("steady")
    local before = script:run(input)
    input.books[#input.books + 1] = { time = input.books[#input.books].time + 10 }
    local result = script:run(input)
    assert.equal("gap", result.status)
    assert.is_true(result.metadata.broken)
    assert.is_nil(before.metadata.broken)
    assert.equal(before.data.amihud, result.data.amihud)
    assert.equal(before.data.liquidity_ratio, result.data.liquidity_ratio)
    assert.is_number(result.data.spread_time_weighted)
    assert.is_number(result.data.spread_p95)
    local given = 0
    for _ in pairs(result.data) do given = given + 1 end
    assert.equal(4, given)
    for _, reason in pairs(result.metadata.reasons) do assert.equal("no_book", reason) end
  end)

  it("fills one base unit that tenths add up to", function()
    local asks = {}
    for i = 1, 10 do asks[i] = { 100 + i, 0.1 } end
    local result = script:run(books { { BIDS, asks } })
    assert.near((105.5 - 100.5) / 100.5 * 100, result.data.slippage_estimate, 1e-12)
    assert.is_nil(result.metadata.reasons.slippage_estimate)
  end)

  it("says gap when the day behind the liquidity figures has a hole, also at its end", function()
    local input = support.books("steady")
    local n = #input.time
    assert.equal("ok", script:run(input).status)
    assert.same({ rows = 25, expected = 25, gaps = 0, missing = 0 }, script:run(input).metadata.candles)
    for _, at in ipairs { n - 1, n - 8 } do -- the last one is not closed by then
      local holed = support.books("steady")
      for _, column in ipairs { "time", "open", "high", "low", "close", "volume", "quote_volume" } do
        if holed[column] then table.remove(holed[column], at) end
      end
      local result = script:run(holed)
      assert.equal("gap", result.status)
      assert.same({ rows = 24, expected = 25, gaps = 1, missing = 1 }, result.metadata.candles)
      assert.equal(0, result.metadata.gaps)
      assert.is_number(result.data.amihud)
    end
  end)

  it("is empty without a book, whatever the bars are", function()
    local input = support.books("steady")
    input.books = nil
    local result = script:run(input)
    assert.equal("empty", result.status)
    assert.is_nil(result.as_of)
  end)

  it("takes a missing candle or value only from the liquidity figures", function()
    local whole = script:run(support.books("steady"))
    local input = support.books("steady")
    input.quote_volume[38] = 0 / 0
    assert.same({ "amihud", "liquidity_ratio" }, support.changed(whole, script:run(input)))
    input.time, input.close, input.quote_volume = nil, nil, nil
    local without = script:run(input)
    assert.equal("ok", without.status)
    assert.same({ "amihud", "liquidity_ratio" }, support.changed(whole, without))
    assert.equal("too_few", without.metadata.reasons.amihud)
  end)

  it("looks at hours that are closed by its as_of", function()
    local input = support.books("steady")
    local n = #input.time
    assert.is_true(input.time[n] / 1e6 + 3600 > input.books[#input.books].time) -- the last one is not
    local before = script:run(input)
    input.close[n] = 2 * input.close[n]
    assert.equal(support.bits(before), support.bits(script:run(input)))
  end)
end)
