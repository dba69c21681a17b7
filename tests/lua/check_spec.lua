--- check: every script of tests/lua/impure is refused for the reason and at the line that its header states; what is pure
--- is not, the shipped scripts among it.
local petrosa = require "petrosa"

local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
local root = here .. "/../.."

local function files(folder)
  local list = {}
  local pipe = assert(io.popen("ls '" .. folder .. "'/*.lua"))
  for file in pipe:lines() do list[#list + 1] = file end
  pipe:close()
  return list
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function base(path) return path:match("[^/]*$") end

--- Findings as "file:line: message", without folders.
local function told(findings)
  local lines = {}
  for i, finding in ipairs(findings) do lines[i] = ("%s:%d: %s"):format(base(finding.file), finding.line, finding.message) end
  return lines
end

describe("an impure script", function()
  local list = files(here .. "/impure/calculators")
  for _, file in ipairs(files(here .. "/impure/anomalies")) do list[#list + 1] = file end

  it("is there in more than fifty ways", function() assert.is_true(#list >= 70) end)

  for _, file in ipairs(list) do
    local name = base(file):gsub("%.lua$", "")
    local text = read(file)
    it(name .. " is refused as it says: " .. text:match("%-%- impure: ([^\n]*)"), function()
      local place, words = text:match("%-%- expect: (%S+) ([^\n]*)")
      if not place:find(":") then place = base(file) .. ":" .. place end
      local lines = told(assert(petrosa.load(file)):check())
      local found = false
      for _, line in ipairs(lines) do
        found = found or line:sub(1, #place + 2) == place .. ": " and line:find(words, 1, true) ~= nil
      end
      assert.is_true(found, ("expected %s: ...%s..., got\n%s"):format(place, words, table.concat(lines, "\n")))
    end)
  end
end)

--- A calculator with one output `x`, from the body of its function.
local function calculator(body, top, more)
  return ([[%s
return calculator {
  api = 1, name = "sample", about = "sample",
  needs = { candles = { span = "2d", min = 2, benchmark = true, trades = true } },
  outputs = { { "x", "none" } },%s
  compute = function(w, p)
%s
  end,
}]]):format(top or "", more or "", body)
end

describe("a pure script", function()
  local cases = {
    { "random numbers, which are those of the window", "return { x = math.random() + math.random(5) }" },
    { "random numbers when the file loads", "return { x = noise }", "local noise = math.random()" },
    { "constants in tables and functions", "return { x = weights[2] * half(w.close:final()) }",
      "local weights = { 0.1, 0.2, deep = { 0.3 } }\nlocal function half(v) return v / 2 end" },
    { "tables, functions and coroutines of the call", [[
      local seen, walk = {}, coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
      for i = 1, w.n do seen[w.close:get(i)] = i end
      return { x = walk() + walk() + seen[w.close:final()] }]], nil, nil, true },
    { "a variable that is as before when the call ends", [[
      depth = depth + 1
      local x = w.close:mean() * depth
      depth = depth - 1
      return { x = x }]], "local depth = 0" },
    { "a table rebuilt as it was", [[
      scratch.a = w.n
      local x = scratch.a
      scratch.a = nil
      return { x = x }]], "local scratch = {}" },
    { "distances in time, hours and weekdays", [[
      local age = w.as_of - w.time:get(1)
      return { x = age + w:hour_of_day():final() + 100 * w:day_of_week():final() }]] },
    { "the period", "return { x = w.seconds + #w.period }" },
    { "the benchmark being itself", "return { x = w.benchmark and w.benchmark.symbol == w.symbol and 1 or 0 }" },
    { "bigger bars", "local big = w:resample('4h') return { x = big.n > 0 and big.close:final() or null('few') }", nil, nil, true },
    { "names of things without names", "return { x = #tostring({}) + #tostring(print_nothing) }", "local function print_nothing() end" },
    { "an error that is caught", [[
      local ok = pcall(function() return w.close:get(w.n + 1) end)
      return { x = ok and 1 or 0 }]] },
    { "signed trades where there are some", [[
      local buy, sell = w:signed_trades()
      return { x = buy and buy - sell or null("no_trades") }]] },
    { "a loop that is slow when it is interpreted", [[
      local x = 0
      for i = 1, 1e5 do x = x + w.close:get(i % w.n + 1) end
      return { x = x }]] },
  }
  for _, case in ipairs(cases) do
    it("may use " .. case[1], function()
      local script = assert(petrosa.load(calculator(case[2], case[3], case[4])))
      local findings, figures = script:check()
      if case[5] then -- it has no answer for every market, and says so by an error
        for _, finding in ipairs(findings) do assert.is_nil(finding.message:find("kept")) end
      else
        assert.same({}, told(findings))
      end
      assert.is_true(figures.markets >= 9)
      assert.is_true(figures.calls >= 3)
    end)
  end

  it("is every shipped one", function()
    local function all(kinds)
      local list = {}
      for _, kind in ipairs(kinds) do
        local pipe = assert(io.popen("ls '" .. root .. "/scripts/" .. kind .. "'/*.lua 2>/dev/null"))
        for file in pipe:lines() do list[#list + 1] = assert(petrosa.load(file)) end
        pipe:close()
      end
      return list
    end
    local house, examples = all { "calculators", "regimes", "anomalies", "alerts" }, all { "examples" }
    assert.is_true(#house >= 5 and #examples >= 10)
    for _, list in ipairs { house, examples } do
      for _, script in ipairs(list) do
        local findings, figures = petrosa.check(script, unpack(house))
        assert.same({}, told(findings))
        assert.same({}, figures.notes)
      end
    end
  end)
end)

describe("check", function()
  it("gives a regime the metrics it needs, and none at all", function()
    local text = [[
return regime {
  api = 1, name = "sample", about = "sample", needs = { metrics = { "volume" } },
  outputs = { { "state", text { words = { "much", "little" } } } },
  classify = function(m) return { state = m.volume.spike_ratio > 1 and "much" or "little" } end,
}]]
    local volume = assert(petrosa.load(root .. "/scripts/calculators/volume.lua"))
    local lines = table.concat(told(petrosa.check(assert(petrosa.load(text, "sample.lua")), volume)), "\n")
    assert.is_truthy(lines:find('sample.lua:4: attempt to compare', 1, true) or lines:find("spike_ratio", 1, true), lines)
    local careful = text:gsub("m%.volume%.spike_ratio > 1", "m.volume and (m.volume.spike_ratio or 0) > 1")
    assert.same({}, told(petrosa.check(assert(petrosa.load(careful, "sample.lua")), volume)))
    local script = assert(petrosa.load(careful, "sample.lua"))
    local _, figures = script:check()
    assert.is_truthy(table.concat(figures.notes, "\n"):find("volume is not loaded", 1, true))
  end)

  it("looks into a regime that decides by rules", function()
    local text = [[
local calls = 0
return regime {
  api = 1, name = "sample", about = "sample", needs = { metrics = { "volume" } },
  levels = { "level" },
  rules = { { level = "much", gives = "busy" }, { level = "little", gives = "calm" } },
  outputs = { { "state", text { words = { "busy", "calm", "unknown" } } }, { "level", text { words = { "much", "little" } } } },
  classify = function(m, _, _, decide)
    calls = calls + 1
    local level = m.volume and "much" or "little"
    return { state = decide { level = level }, level = level }
  end,
}]]
    local volume = assert(petrosa.load(root .. "/scripts/calculators/volume.lua"))
    local lines = told(petrosa.check(assert(petrosa.load(text, "sample.lua")), volume))
    assert.equal(1, #lines, table.concat(lines, "\n"))
    assert.equal("sample.lua:8: calls holds 1 after a call, 0 before it", lines[1]:sub(1, 53))
    local pure = text:gsub("calls = calls %+ 1", "")
    assert.same({}, told(petrosa.check(assert(petrosa.load(pure, "sample.lua")), volume)))
    local wrong = assert(petrosa.load((pure:gsub("level = level }\n", "level = level, more = 1 }\n")), "sample.lua"))
    assert.equal("sample.lua:10: output more: was not declared", told(petrosa.check(wrong, volume))[1]:sub(1, 44))
    local result = wrong:run { close = { 1, 2 } }
    assert.equal("sample.lua", result.metadata.error.file)
    assert.equal(7, result.metadata.error.line) -- the function's: the return has gone by
  end)

  it("says when no market has enough bars", function()
    local text = calculator("return { x = w.n }"):gsub("min = 2", "bars = 200000, min = 200000")
    local findings, figures = assert(petrosa.load(text)):check()
    assert.same({}, findings)
    assert.is_truthy(table.concat(figures.notes, "\n"):find("not run", 1, true))
    assert.equal(0, figures.computed)
    text = calculator("return { x = w.n }"):gsub("min = 2", "min = 2000")
    findings, figures = assert(petrosa.load(text)):check()
    assert.same({}, findings)
    assert.equal(0, figures.computed)
    assert.is_truthy(figures.notes[1]:find('not run, the result is "warming" on all of 9 markets', 1, true), figures.notes[1])
  end)

  local market = [[
return calculator {
  api = 1, name = "sample", about = "sample", needs = { market = { span = "2d", min = 2, symbols = %d } },
  outputs = { { "n", "count" } },
  compute = function(m) return { n = m.n } end,
}]]

  it("makes as many symbols as a market needs, and says when it cannot", function()
    for _, symbols in ipairs { 1, 5, 32 } do
      local findings, figures = assert(petrosa.load(market:format(symbols))):check()
      assert.same({}, told(findings))
      assert.same({ 9, {} }, { figures.computed, figures.notes })
    end
    local findings, figures = assert(petrosa.load(market:format(33))):check()
    assert.same({}, findings)
    assert.equal(0, figures.computed)
    assert.same({ "at least 33 symbols are needed, 32 can be made: not run" }, figures.notes)
  end)

  it("leaves alone who refuses a number beside another", function()
    local text = calculator("assert(p.low <= p.high, 'low is above high') return { x = p.high }", nil, [[
  params = { low = number { default = 0.3, min = 0, max = 1 }, high = number { default = 0.7, min = 0, max = 1 } },]])
    local findings, figures = assert(petrosa.load(text)):check()
    assert.same({}, told(findings))
    assert.equal(9 * 3 + 4 * 2, figures.calls)
  end)

  it("names what every call costs", function()
    local _, figures = assert(petrosa.load(calculator("return { x = w.n }"))):check()
    assert.equal(9 * 3, figures.calls)
    assert.is_true(figures.slowest_us > 0 and figures.slowest_us <= figures.elapsed_us)
  end)
end)
