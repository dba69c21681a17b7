--- support: golden files as windows and answers, and the cases that every calculator must hold.
local cjson = require "cjson"
local lfs = require "lfs"
local petrosa = require "petrosa"

local support = {}

local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
support.root = here .. "/../../.."

function support.read(path)
  local file = assert(io.open(support.root .. "/" .. path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

--- Normal deviates of a generator that is the same on every machine (Park & Miller 1988, Box & Muller 1958).
function support.normals(seed)
  local state = seed
  local function uniform()
    state = state * 48271 % 2147483647
    return state / 2147483647
  end
  return function() return math.sqrt(-2 * math.log(uniform())) * math.cos(2 * math.pi * uniform()) end
end

local function decode(path)
  return cjson.decode(support.read(path))
end

local function plain(value)
  if value == cjson.null then return nil end
  return value
end

--- Where the script stands: "calculators/volatility", "regimes/regime", "anomalies/mad", "examples/keltner".
function support.place(name)
  for _, folder in ipairs { "calculators", "regimes", "anomalies", "examples" } do
    local place = folder .. "/" .. name
    if lfs.attributes(support.root .. "/scripts/" .. place .. ".lua", "mode") then return place end
  end
  error("no script " .. name)
end

local function without(input, key)
  local out = {}
  for k, value in pairs(input) do out[k] = k ~= key and value or nil end
  return out
end

--- The script alone, as petrosa.load gives it.
function support.load(name)
  return assert(petrosa.load(support.root .. "/scripts/" .. support.place(name) .. ".lua"))
end

--- The script, loaded. One that needs metrics gets those of the same window, as in a unit of the engine.
function support.calculator(name)
  local script = support.load(name)
  local needed = script:declaration().needs.metrics
  if not needed then return script end
  local metrics = {}
  for _, metric in ipairs(needed) do metrics[metric] = support.calculator(metric) end
  return {
    declaration = function() return script:declaration() end,
    check = function()
      local others = {}
      for i, metric in ipairs(needed) do others[i] = support.load(metric) end
      return script:check(unpack(others))
    end,
    run = function(_, input)
      local whole = without(input, "params")
      whole.metrics = input.metrics or {}
      if not input.metrics then
        for metric, calculator in pairs(metrics) do whole.metrics[metric] = calculator:run(without(input, "params")).data end
      end
      whole.params = input.params
      return script:run(whole)
    end,
  }
end

local COLUMNS = { "open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume" }

local function columns(stored, into)
  into.time = {}
  for i, us in ipairs(stored.open_time) do into.time[i] = us end
  for _, column in ipairs(COLUMNS) do
    into[column] = {}
    for i, value in ipairs(stored[column]) do
      into[column][i] = value == cjson.null and 0 / 0 or value
    end
  end
  return into
end

--- Rows that are no bars: columns by name, null is missing.
local function by_name(stored)
  local out = {}
  for name, column in pairs(stored) do
    out[name] = {}
    for i, value in ipairs(column) do out[name][i] = value == cjson.null and 0 / 0 or value end
  end
  return out
end

-- Symbols of a stored market.
local function market_columns(stored, into)
  into.market = {}
  for symbol, bars in pairs(stored.symbols) do
    local out = { time = {}, close = {} }
    for i, us in ipairs(bars.open_time) do
      out.time[i], out.close[i] = us, bars.close[i] == cjson.null and 0 / 0 or bars.close[i]
    end
    into.market[symbol] = out
  end
  return into
end

--- A stored series or market as the argument of script:run; anew for each call, so that a test may change it.
function support.series(name, options)
  local stored = decode("tests/golden/series/" .. name .. ".json")
  if stored.symbols then
    local input = market_columns(stored, { period = stored.period })
    for key, value in pairs(options or {}) do input[key] = value end
    return input
  end
  local input = columns(stored.candles, { symbol = stored.symbol, period = stored.period })
  if stored.benchmark ~= cjson.null then input.benchmark = columns(stored.benchmark, { symbol = "BTCUSDT" }) end
  for _, kind in ipairs { "funding", "marks" } do input[kind] = stored[kind] and by_name(stored[kind]) end
  for key, value in pairs(options or {}) do input[key] = value end
  return input
end

--- Stored books, with their hourly candles, as the argument of script:run; anew for each call.
function support.books(name, options)
  local stored = decode("tests/golden/books/" .. name .. ".json")
  local input = { symbol = "TESTUSDT", books = {}, time = {}, close = {}, quote_volume = {} }
  for i, book in ipairs(stored.books) do
    input.books[i] = { time = book[1] / 1e6, bids = book[2], asks = book[3] }
  end
  for i, bar in ipairs(stored.candles) do
    input.time[i], input.close[i] = bar[1], bar[2]
    input.quote_volume[i] = bar[3] == cjson.null and 0 / 0 or bar[3]
  end
  for key, value in pairs(options or {}) do input[key] = value end
  return input
end

-- First time of a market, and how many bar times it has from there.
local function market_times(input)
  local first, last, step = math.huge, -math.huge, math.huge
  for _, bars in pairs(input.market) do
    first, last = math.min(first, bars.time[1]), math.max(last, bars.time[#bars.time])
    for i = 2, #bars.time do step = math.min(step, bars.time[i] - bars.time[i - 1]) end
  end
  return first, (last - first) / step + 1, step
end

--- How many positions there are, the time of the first and the distance of two.
function support.positions(input)
  if input.market then
    local first, n, step = market_times(input)
    return n, first, step
  end
  return #input.time, input.time[1], input.time[2] - input.time[1]
end

--- The bars of a window from position `first` to `last`; of a market, positions are bar times.
function support.slice(input, first, last)
  if input.market then
    local from, _, step = market_times(input)
    local market = {}
    for symbol, bars in pairs(input.market) do
      local part = { time = {}, close = {} }
      for i, time in ipairs(bars.time) do
        local at = (time - from) / step + 1
        if at >= first and at <= last then
          part.time[#part.time + 1], part.close[#part.close + 1] = time, bars.close[i]
        end
      end
      if #part.time > 0 then market[symbol] = part end
    end
    return { period = input.period, params = input.params, benchmark = input.benchmark, market = market }
  end
  local out = {}
  for key, value in pairs(input) do out[key] = value end
  for _, column in ipairs { "time", unpack(COLUMNS) } do
    out[column] = {}
    for i = first, last do out[column][i - first + 1] = input[column][i] end
  end
  return out
end

--- Where its golden numbers are: tests/golden/calculators/NAME.json; of examples and detectors in folders of their own.
function support.golden(name)
  local place = support.place(name)
  local folder = place:match("^examples/") or place:match("^anomalies/") or "calculators/"
  return "tests/golden/" .. folder .. name .. ".json"
end

function support.cases(name)
  return decode(support.golden(name)).cases
end

local rules = decode("tests/golden/tolerance.json")

local function allowed(path, want, context)
  local rule = rules.fields[path] or rules.default
  local scale = rule.scale
  if rule.scale_of then
    scale = 0
    for _, field in ipairs(rule.scale_of) do scale = scale + (plain(context[field]) or 0) end
    scale = rule.factor * scale
  end
  return rule.relative * math.max(math.abs(want), scale)
end

local compare
function compare(path, got, want, context, wrong)
  local function differs()
    wrong[#wrong + 1] = ("%s: %s, should be %s"):format(path, tostring(got), tostring(want))
  end
  want = plain(want)
  if type(want) == "table" then
    if type(got) ~= "table" then return differs() end
    if #want > 0 and #got ~= #want then return differs() end
    for key, value in pairs(want) do
      local cell = got[key] -- of a matrix, in which NaN stands for null
      if type(key) == "number" and cell ~= cell then cell = nil end
      local entry = type(key) == "number" or key:find("^%d+$") or key:find("^[A-Z0-9]+$")
      compare(entry and path or path .. "." .. key, cell, value, context, wrong)
    end
  elseif type(want) == "number" then
    local close = type(got) == "number" and math.abs(got - want) <= allowed(path, want, context) -- NaN is not
    if not close then differs() end
  elseif got ~= want then
    differs()
  end
end

--- What differs between a result and what a golden case expects, in words; an empty list when nothing does.
function support.differences(result, expect)
  local wrong = {}
  local meta = result.metadata
  compare("status", result.status, expect.status, expect, wrong)
  compare("as_of", result.as_of * 1e6, expect.as_of, expect, wrong)
  compare("symbols", result.symbols, expect.symbols, expect, wrong)
  for _, field in ipairs { "rows", "expected", "gaps", "missing", "completeness" } do
    compare(field, meta[field], expect[field], expect, wrong)
  end
  if type(expect.reasons) == "string" then -- one word for all of them
    for field, value in pairs(result.data) do compare(field, value, nil, expect, wrong) end
    for _, reason in pairs(meta.reasons) do compare("reason", reason, expect.reasons, expect, wrong) end
    return wrong
  end
  if expect.status == "warming" then
    for field, value in pairs(result.data) do compare(field, value, nil, expect, wrong) end
    return wrong
  end
  for field, value in pairs(expect.data) do compare(field, result.data[field], value, expect.data, wrong) end
  for field in pairs(result.data) do
    if expect.data[field] == nil then wrong[#wrong + 1] = field .. ": the golden file does not know it" end
  end
  for field, reason in pairs(expect.reasons) do
    compare(field .. " reason", meta.reasons[field], reason, expect, wrong)
  end
  for field, reason in pairs(meta.reasons) do
    if not expect.reasons[field] then wrong[#wrong + 1] = field .. ": null, reason " .. reason end
  end
  return wrong
end

--- All digits of all outputs and reasons, to be compared as text.
function support.bits(result)
  local lines = {}
  local function add(path, value)
    if type(value) == "table" then
      for key, inner in pairs(value) do add(path .. "." .. key, inner) end
    else
      lines[#lines + 1] = path .. "=" .. (type(value) == "number" and ("%.17g"):format(value) or tostring(value))
    end
  end
  add("status", result.status)
  add("data", result.data)
  add("reasons", result.metadata.reasons)
  table.sort(lines)
  return table.concat(lines, "\n")
end

--- Runs a golden case.
function support.run(script, case)
  if case.books then -- as_of in seconds: a number of microseconds has no unit of its own there
    local as_of = plain(case.as_of)
    return script:run(support.books(case.books, { as_of = as_of and as_of / 1e6, params = case.params }))
  end
  return script:run(support.series(case.series,
    { as_of = plain(case.as_of), params = case.params, benchmark = plain(case.benchmark), whole = case.whole }))
end

--- What every calculator must hold, as tests of its spec.
-- whole: name of a complete series that is long enough; every: periods computed on each close, if not 1h and 1d;
-- others: further series that must give the same bits twice.
function support.holds_for_every_calculator(name, whole, every, others)
  local spec = getfenv(2) -- busted gives its names to the spec's file, not to what that requires
  local describe, it, assert = spec.describe, spec.it, spec.assert

  describe("golden numbers", function()
    local script = support.calculator(name)
    for number, case in ipairs(support.cases(name)) do
      local params = cjson.encode(case.params):gsub("[{}\"]", "")
      local label = ("%d: %s %s%s%s"):format(number, case.series, params, plain(case.as_of) and " in the past" or "",
        case.whole and ", the whole window" or "")
      it("equal the oracle's, case " .. label, function()
        assert.same({}, support.differences(support.run(script, case), case.expect))
      end)
    end
  end)

  describe("purity", function()
    it("gives the same bits twice, in two orders, and from a fresh sandbox", function()
      local one, other = support.calculator(name), support.calculator(name)
      local names, first = { whole, unpack(others or { "gaps", "missing", "flat" }) }, {}
      for _, series in ipairs(names) do first[series] = support.bits(one:run(support.series(series))) end
      for i = #names, 1, -1 do
        assert.equal(first[names[i]], support.bits(one:run(support.series(names[i]))))
        assert.equal(first[names[i]], support.bits(other:run(support.series(names[i]))))
      end
    end)

    it("is proven by petrosa.check, on markets that it has not seen", function()
      assert.same({}, (support.calculator(name):check()))
    end)

    it("does not change when later bars arrive, nor by bars before the window", function()
      local script, series = support.calculator(name), support.series(whole)
      local n, first, step = support.positions(series)
      local cut = support.slice(series, 1, n - 7)
      local close_time = series.market and first + (n - 7) * step or series.time[n - 7] + step
      assert.equal(support.bits(script:run(cut)),
        support.bits(script:run(support.series(whole, { as_of = close_time }))))
      local metadata = script:run(series).metadata
      local rows = series.market and math.min(metadata.expected, n) or metadata.rows
      assert.equal(support.bits(script:run(series)), support.bits(script:run(support.slice(series, n - rows + 1, n))))
    end)

    it("depends on prices and distances in time, hour and weekday, not on the date", function()
      local torn = others and others[1] or "gaps"
      local script, series = support.calculator(name), support.series(torn)
      local moved = support.series(torn)
      local all = moved.market or { moved, moved.benchmark }
      for _, bars in pairs(all) do
        for i, time in ipairs(bars.time) do bars.time[i] = time + 6 * 168 * 3600 * 1000000 end
      end
      assert.equal(support.bits(script:run(series)), support.bits(script:run(moved)))
    end)
  end)

  describe("declaration", function()
    local declaration = support.calculator(name):declaration()

    it("carries the name of its file, a sentence and a method", function()
      assert.equal(name, declaration.name)
      assert.equal(1, declaration.api)
      assert.is_true(#declaration.about > 20)
      assert.is_true(#declaration.method > 0)
      assert.same(every or { "1h", "1d" }, declaration.every)
    end)

    it("has a sentence for each output, and a unit for each number", function()
      for _, output in ipairs(declaration.outputs) do
        assert.is_truthy(output.unit or output.words or output.fields or output.type == "bool" or output.type == "text", output.name)
        assert.is_true(output.about ~= nil and #output.about > 5, output.name)
      end
    end)

    it("gives exactly the declared outputs", function()
      local data, reasons = {}, {}
      local result = support.calculator(name):run(support.series(whole))
      for _, output in ipairs(declaration.outputs) do
        data[output.name] = result.data[output.name] ~= nil or nil
        reasons[output.name] = result.metadata.reasons[output.name]
        assert.is_true(data[output.name] or reasons[output.name] ~= nil, output.name .. " is not explained")
        assert.are_not.equal("not_given", reasons[output.name])
        assert.are_not.equal("not_finite", reasons[output.name])
      end
    end)
  end)
end

--- Output names whose digits differ between two results.
function support.changed(a, b)
  local names = {}
  local function digits(value)
    if type(value) ~= "table" then return type(value) == "number" and ("%.17g"):format(value) or tostring(value) end
    local parts = {}
    for key, inner in pairs(value) do parts[#parts + 1] = key .. "=" .. digits(inner) end
    table.sort(parts)
    return table.concat(parts, " ")
  end
  local seen = {}
  for _, result in ipairs { a, b } do
    for name in pairs(result.data) do
      if not seen[name] and digits(a.data[name]) ~= digits(b.data[name]) then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return names
end

return support
