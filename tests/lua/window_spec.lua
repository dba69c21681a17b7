--- Windows: what a script sees of the bars, with holes, missing values, few bars.
local petrosa = require "petrosa"
local nan = 0 / 0
local covered = {}

-- A script whose outputs are lists: the body returns a table of numbers, lists and vectors.
local function look(body, bars, needs)
  for name in body:gmatch("w[%.:]([%a_]+)") do covered[name] = true end
  local text = [[
return calculator {
  api = 1, name = "look", about = "for a spec",
  needs = { candles = { span = "1h", bars = ]] .. (needs and needs.bars or 1000) .. [[, benchmark = true, trades = true } },
  outputs = { { "a", list { unit = "none" } }, { "b", list { unit = "none" } }, { "c", list { unit = "none" } }, { "t", text {} } },
  compute = function(w)
    local a, b, c, t = (function() ]] .. body .. [[ end)()
    local function listed(x)
      if type(x) == "number" then return { x } end
      return x
    end
    return { a = listed(a), b = listed(b), c = listed(c), t = t }
  end,
}]]
  local script = assert(petrosa.load(text))
  local r = script:run(bars)
  if r.status == "error" then error(r.metadata.error.message, 0) end
  return r.data.a, r.data.b, r.data.c, r.data.t, r
end

local function fault(body, bars)
  local ok, text = pcall(look, body, bars)
  assert.is_false(ok)
  return text
end

-- null in a list is read as a hole: compare with missing in the same places
local function same(want, got, n)
  for i = 1, n or #want do
    local a, b = want[i], got[i]
    if a ~= a or a == nil then
      assert.is_nil(b)
    else
      assert.is_true(math.abs(a - b) <= 1e-12 * math.max(1, math.abs(a)), i .. ": " .. a .. " expected, got " .. tostring(b))
    end
  end
end

local HOUR = 3600
local start = 1735689600 -- Wednesday, 2025-01-01T00:00:00Z
local close = { 10, 11, 12, 11, 13, 14 }
local plain = { start = start, close = close }
-- hours 0, 1, 2, 5, 6, 7: one hole of two bars
local holey = { close = close, time = { start, start + HOUR, start + 2 * HOUR, start + 5 * HOUR, start + 6 * HOUR, start + 7 * HOUR } }

describe("the fields of a window", function()
  it("are the columns of its bars", function()
    local bars = { start = start }
    for i, name in ipairs { "open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume" } do
      bars[name] = { i, i + 10, i + 20 }
    end
    for i, name in ipairs { "open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume" } do
      same({ i, i + 10, i + 20 }, (look("return w." .. name, bars)))
    end
    same({ start, start + HOUR, start + 2 * HOUR }, (look("return w.time", bars)))
  end)

  it("that are missing are missing", function()
    same({ nan, nan }, (look("return w.volume", { close = { 1, 2 } })), 2)
    same({ 1, nan, 3 }, (look("return w.close", { close = { 1, nan, 3 } })), 3)
  end)

  it("say what the window is", function()
    local _, _, _, text = look("return 0, 0, 0, w.symbol .. ' ' .. w.period .. ' ' .. tostring(w)", plain)
    assert.are.equal("TESTUSDT 1h window TESTUSDT 1h of 6 bars", text)
    same({ 6 }, (look("return w.n", plain)))
    same({ 1000 }, (look("return w.expected", plain)))
    same({ 0.6 }, (look("return w.completeness", plain)))
    same({ 3600 }, (look("return w.seconds", plain)))
    same({ start + 6 * HOUR }, (look("return w.as_of", plain)))
    same({ 0 }, (look("return w.gaps", plain)))
    same({ 0 }, (look("return w.missing", plain)))
  end)

  it("count a hole once, and its bars", function()
    same({ 1 }, (look("return w.gaps", holey)))
    same({ 2 }, (look("return w.missing", holey)))
    local _, _, _, _, r = look("return w.gaps", holey)
    assert.are.equal("gap", r.status)
    assert.are.equal(1, r.metadata.gaps)
    assert.are.equal(2, r.metadata.missing)
  end)

  it("that there are none of raise", function()
    assert.are.equal("window has no field or method 'foo'", fault("return w.foo", plain))
    assert.are.equal("a window is read-only", fault("w.close = 5", plain))
    assert.are.equal("a window has no elements: w.close:get(i)", fault("return w[1]", plain))
  end)
end)

describe("the range of a window", function()
  it("is time, not a number of bars", function()
    same({ 14 }, (look("return w.close", holey, { bars = 1 })))
    same({ 11, 13, 14 }, (look("return w.close", holey, { bars = 5 })))
    same({ 12, 11, 13, 14 }, (look("return w.close", holey, { bars = 6 })))
  end)

  it("ends at as_of, whatever comes later", function()
    local bars = { start = start, close = close, as_of = start + 4 * HOUR + 100 }
    same({ 10, 11, 12, 11 }, (look("return w.close", bars)))
    same({ start + 4 * HOUR }, (look("return w.as_of", bars)))
  end)
end)

describe("returns", function()
  it("begin with a missing one", function()
    same({ nan, 0.1, 12 / 11 - 1, 11 / 12 - 1, 13 / 11 - 1, 14 / 13 - 1 }, (look("return w:simple_returns()", plain)), 6)
    same({ nan, math.log(1.1), math.log(12 / 11) }, (look("return w:log_returns():first(3)", plain)), 3)
  end)

  it("across a hole are missing", function()
    same({ nan, 0.1, 12 / 11 - 1, nan, 13 / 11 - 1, 14 / 13 - 1 }, (look("return w:simple_returns()", holey)), 6)
  end)

  it("on the time grid have an empty cell for each bar that is not there", function()
    same({ nan, math.log(1.1), math.log(12 / 11), nan, nan, nan, math.log(13 / 11), math.log(14 / 13) },
      (look("return w:grid_log_returns()", holey)), 8)
    same({ 10, 11, 12, nan, nan, 11, 13, 14 }, (look("return w:grid(w.close)", holey)), 8)
    assert.matches("a vector of the window's 6 bars expected, got 2", fault("return w:grid(w.close:last(2))", holey))
  end)
end)

describe("parts of a window", function()
  it("last gives the last bars, all when there are fewer", function()
    same({ 13, 14 }, (look("return w:last(2).close", plain)))
    same(close, (look("return w:last(99).close", plain)))
    local n, expected, gaps = look("local l = w:last(4) return l.n, l.expected, l.gaps", holey)
    same({ 4 }, n)
    same({ 4 }, expected)
    same({ 1 }, gaps)
    same({ nan, 14 / 13 - 1 }, (look("return w:last(2):simple_returns()", plain)), 2)
    same({ 0 }, (look("return w:last(0).n", plain)))
  end)

  it("the calendar is that of the open times, UTC, weeks from Monday", function()
    same({ 0, 1, 2, 5, 6, 7 }, (look("return w:hour_of_day()", holey)))
    same({ 2, 2, 2, 2, 2, 2 }, (look("return w:day_of_week()", holey)))
  end)
end)

describe("resampling", function()
  local bars = { start = start, open = {}, high = {}, low = {}, close = {}, volume = {}, trades = {} }
  for i = 1, 10 do
    bars.open[i], bars.close[i] = 100 + i, 101 + i
    bars.high[i], bars.low[i] = 102 + i, 99 + i
    bars.volume[i], bars.trades[i] = i / 10, i
  end

  it("puts whole bars together", function()
    local open, high, low = look("local b = w:resample('4h') return b.open, b.high, b.low", bars)
    same({ 101, 105 }, open)
    same({ 106, 110 }, high)
    same({ 100, 104 }, low)
    local last, volume, trades = look("local b = w:resample('4h') return b.close, b.volume, b.trades", bars)
    same({ 105, 109 }, last)
    same({ 1, 2.6 }, volume)
    same({ 10, 26 }, trades)
    local n, as_of, seconds = look("local b = w:resample('4h') return b.n, b.as_of, b.seconds", bars)
    same({ 2 }, n)
    same({ start + 8 * HOUR }, as_of)
    same({ 4 * HOUR }, seconds)
  end)

  it("leaves out a bar that lacks a part", function()
    local few = { time = {}, close = {}, open = {}, high = {}, low = {}, volume = {}, trades = {} }
    for i = 1, 10 do
      if i ~= 6 then
        few.time[#few.time + 1] = start + (i - 1) * HOUR
        for _, name in ipairs { "open", "high", "low", "close", "volume", "trades" } do few[name][#few[name] + 1] = bars[name][i] end
      end
    end
    same({ 105 }, (look("return w:resample('4h').close", few)))
    -- of the last 8 bars the first is half of one
    same({ 109 }, (look("return w:last(8):resample('4h').close", bars)))
  end)

  it("does not split, and knows its periods", function()
    assert.matches("bars are put together, not split", fault("return w:resample('30m').n", bars))
    assert.matches("'7h' is no period", fault("return w:resample('7h').n", bars))
    same({ 10 }, (look("return w:resample('1h').n", bars)))
  end)
end)

describe("the benchmark", function()
  it("stands on the bars of the window", function()
    local b = { symbol = "BTCUSDT", start = start - HOUR, close = { 1, 2, 3, 4, 5, 6 } }
    local got, n, _, symbol = look("return w.benchmark.close, w.benchmark.n, nil, w.benchmark.symbol",
      { close = holey.close, time = holey.time, benchmark = b })
    same({ 2, 3, 4, nan, nan, nan }, got, 6)
    same({ 6 }, n)
    assert.are.equal("BTCUSDT", symbol)
    same({ nan, math.log(1.5), math.log(4 / 3), nan, nan, nan },
      (look("return w.benchmark:log_returns()", { close = holey.close, time = holey.time, benchmark = b })), 6)
    same({ 3, 4 }, (look("return w:last(6):last(5).benchmark.close:first(2)", { close = holey.close, time = holey.time, benchmark = b })))
  end)

  it("is nil where there is none", function()
    same({ 1 }, (look("return w.benchmark == nil and 1 or 0", plain)))
  end)

  it("and trades have to be declared", function()
    local script = assert(petrosa.load [[return calculator { api = 1, name = "x", about = "x", needs = { candles = { span = "1h" } },
      params = { what = enum { "benchmark", "trades", default = "benchmark" } }, outputs = { a = count {} },
      compute = function(w, p) return { a = p.what == "trades" and w:signed_trades() or w.benchmark.n } end }]])
    assert.matches("benchmark is not declared", script:run { close = close }.metadata.error.message)
    assert.matches("trades are not declared", script:run { close = close, params = { what = "trades" } }.metadata.error.message)
  end)
end)

describe("trades", function()
  it("come as bought and sold, or not at all", function()
    local buy, sell = look("return w:signed_trades()", { close = close, signed_trades = { buy = 3, sell = 4 } })
    same({ 3 }, buy)
    same({ 4 }, sell)
    local _, _, _, why = look("local _, why = w:signed_trades() return 0, 0, 0, why", plain)
    assert.are.equal("no_trades", why)
  end)
end)

describe("indicators of bars", function()
  local bars = { start = start, open = {}, high = {}, low = {}, close = {} }
  for i = 1, 40 do
    local p = 100 + 5 * math.sin(i) + i / 10
    bars.open[i], bars.close[i] = p, p + math.cos(i * 2)
    bars.high[i] = math.max(bars.open[i], bars.close[i]) + 0.5
    bars.low[i] = math.min(bars.open[i], bars.close[i]) - 0.25
  end

  it("true range and its Wilder mean", function()
    local tr, atr = look("return w:true_range(), w:atr(5)", bars)
    local want = { nan }
    for i = 2, 40 do
      local before = bars.close[i - 1]
      want[i] = math.max(bars.high[i] - bars.low[i], math.abs(bars.high[i] - before), math.abs(bars.low[i] - before))
    end
    same(want, tr, 40)
    local mean = (want[2] + want[3] + want[4] + want[5] + want[6]) / 5
    same({ nan, nan, nan, nan, nan, mean, mean + (want[7] - mean) / 5 }, atr, 7)
  end)

  it("directional movement", function()
    local adx, plus, minus = look("return w:adx(5)", bars)
    local up, down, range = 0, 0, 0
    for i = 2, 6 do
      local u, d = bars.high[i] - bars.high[i - 1], bars.low[i - 1] - bars.low[i]
      if u > d and u > 0 then up = up + u end
      if d > u and d > 0 then down = down + d end
      range = range + math.max(bars.high[i] - bars.low[i], math.abs(bars.high[i] - bars.close[i - 1]), math.abs(bars.low[i] - bars.close[i - 1]))
    end
    same({ 100 * up / range }, { plus[6] })
    same({ 100 * down / range }, { minus[6] })
    assert.is_nil(adx[9])
    assert.is_number(adx[10])
  end)

  it("books must be declared", function()
    assert.matches("books are not declared: needs = { books", fault("return w.books", bars))
  end)

  it("Donchian's channel holds the last bar", function()
    local upper, lower = look("return w:donchian(3)", bars)
    same({ math.max(bars.high[38], bars.high[39], bars.high[40]) }, { upper[40] })
    same({ math.min(bars.low[38], bars.low[39], bars.low[40]) }, { lower[40] })
  end)

  it("range volatility over the last bars", function()
    local park, gk, rs = 0, 0, 0
    for i = 31, 40 do
      local o, h, l, c = bars.open[i], bars.high[i], bars.low[i], bars.close[i]
      park = park + math.log(h / l) ^ 2
      gk = gk + 0.5 * math.log(h / l) ^ 2 - (2 * math.log(2) - 1) * math.log(c / o) ^ 2
      rs = rs + math.log(h / c) * math.log(h / o) + math.log(l / c) * math.log(l / o)
    end
    local a, b, c = look("return w:parkinson(10), w:garman_klass(10), w:rogers_satchell(10)", bars)
    same({ math.sqrt(park / 10 / (4 * math.log(2))) }, a)
    same({ math.sqrt(gk / 10) }, b)
    same({ math.sqrt(rs / 10) }, c)
    local whole, part = look("return w:last(10):parkinson(), w:parkinson(10)", bars)
    same(whole, part)
    local o, v = {}, {}
    for i = 31, 40 do
      o[#o + 1] = math.log(bars.open[i] / bars.close[i - 1])
      v[#v + 1] = math.log(bars.close[i] / bars.open[i])
    end
    local vo, vc = petrosa.eval("local a, b = ... return a:var(), b:var()", o, v)
    local k = 0.34 / (1.34 + 11 / 9)
    same({ math.sqrt(vo + k * vc + (1 - k) * rs / 10) }, (look("return w:yang_zhang(10)", bars)))
  end)
end)

-- rows that are no bars have a spec of their own: others_spec.lua
covered.funding, covered.marks = true, true

describe("the reference of windows", function()
  it("names nothing that is not tried above", function()
    for _, entry in ipairs(petrosa.reference()) do
      if entry.group == "Window: methods" then assert.is_true(covered[entry.name], entry.name .. " has no test") end
      if entry.group == "Window: fields" then
        for name in entry.signature:gmatch("w%.([%a_]+)") do
          assert.is_true(covered[name] or pcall(look, "return w." .. name, plain), name .. " is not there")
        end
      end
    end
  end)
end)
