--- The sandbox: what a script may use, in which order things come, and what errors say. Attacks are in tests/torture/hostile.
local petrosa = require "petrosa"

local function eval(code, ...) return petrosa.eval(code, ...) end

local function fault(code, ...)
  local ok, text = pcall(petrosa.eval, code, ...)
  assert.is_false(ok)
  return text
end

local HEAD = 'return calculator { api = 1, name = "x", about = "x", needs = { candles = { span = "5h" } }, outputs = { a = "none", b = "none" },\n'

local function run(body, bars, head)
  local script = assert(petrosa.load((head or "") .. HEAD .. "compute = function(w, p, m)\n" .. body .. "\nend }\n", "calculators/x.lua"))
  return script:run(bars or { close = { 1, 2, 3 } }), script
end

describe("the names of a script", function()
  it("are these and no others", function()
    local here = {
      "assert", "bit", "bool", "calculator", "alert", "anomaly", "coroutine", "count", "enum", "error", "getmetatable", "int", "ipairs", "list", "map",
      "math", "missing", "next", "null", "number", "pairs", "pcall", "rawequal", "rawget", "regime", "require", "select", "setmetatable", "string",
      "table", "text", "tonumber", "tostring", "type", "unpack", "vec", "xpcall",
    }
    for _, name in ipairs(here) do assert.is_true((eval("return " .. name .. " ~= nil")), name) end
    for _, name in ipairs { "_G", "os", "io", "debug", "ffi", "jit", "package", "load", "loadstring", "dofile", "loadfile", "print", "rawset", "getfenv",
      "setfenv", "newproxy", "collectgarbage", "module", "gcinfo" } do
      assert.matches("unknown name '" .. name .. "'", fault("return " .. name))
    end
    assert.matches("string has no 'dump'", fault("return string.dump"))
    assert.matches("table has no 'foreach'", fault("return table.foreach"))
    assert.matches("math has no 'randomseed'", fault("return math.randomseed"))
  end)

  it("cannot be changed", function()
    assert.matches("assignment to global 'x': use local", fault("x = 1"))
    assert.matches("assignment to global 'pairs': use local", fault("pairs = nil"))
    assert.matches("assignment to global 'vec': use local", fault("local function f() return function() vec = nil end end f()()"))
    assert.matches("math is read%-only", fault("math.pi = 3"))
    assert.matches("string is read%-only", fault("string.rep = nil"))
  end)

  it("make no weak table", function()
    local words = "weak tables depend on the collector"
    assert.matches(words, fault("return setmetatable({}, { __mode = 'k' })"))
    assert.matches(words, fault("return setmetatable({}, { ['__mo' .. 'de'] = 'k' })"))
    assert.equal(5, (eval("return setmetatable({}, { mode = 5, __index = function() return 5 end }).x")))
    for _, name in ipairs { "'__mode'", "'__mo' .. 'de'", "({ '__mode' })[1]" } do
      local code = "local m, n, kept = {}, " .. name .. ", 0 local t = setmetatable({}, m) getmetatable(t)[n] = 'v' " ..
        "for i = 1, 1e5 do t[1] = t[1] or { i } if t[1][1] == 1 then kept = kept + 1 end end return kept"
      assert.equal(1e5, (eval(code)))
    end
  end)

  it("have metatables as in Lua", function()
    assert.equal("true true", (eval("local m = {} local t = setmetatable({}, m) return ('%s %s'):format(getmetatable(t) == m, getmetatable({}) == nil)")))
    assert.equal(7, (eval("local A = { x = 7 } local o = setmetatable({}, A) A.__index = A return o.x")))
    assert.equal("k", (eval("local m = {} local o = setmetatable({}, m) m.__index = function(_, key) return key end return o.k")))
    assert.equal("nil", (eval("return tostring(setmetatable({}, {}).x)")))
    assert.equal(3, (eval("local m = { __add = function(a, b) return a[1] + b[1] end } return setmetatable({ 1 }, m) + setmetatable({ 2 }, m)")))
    assert.equal(2, (eval("local t = setmetatable({}, { __index = { x = 1 } }) return setmetatable(t, { __index = { x = 2 } }).x")))
    assert.equal("nil", (eval("return tostring(getmetatable(setmetatable(setmetatable({}, {}), nil)))")))
    assert.equal("locked", (eval("return getmetatable(setmetatable({}, { __metatable = 'locked' }))")))
    assert.matches("protected", fault("return setmetatable(setmetatable({}, { __metatable = 1 }), {})"))
    assert.matches("table expected", fault("return setmetatable(1, {})"))
  end)

  it("work as in Lua", function()
    assert.are.equal("a-b", (eval("return table.concat({ 'a', 'b' }, '-')")))
    assert.are.equal(2, (eval("return math.floor(2.5)")))
    assert.are.equal("xx", (eval("return ('x'):rep(2)")))
    assert.are.equal("  7", (eval("return ('%3d'):format(7)")))
    assert.are.equal("100%", (eval("return string.format('%d%%', 100)")))
    assert.are.equal("true nil", (eval("return string.format('%s %s', true, nil)")))
    assert.are.equal(6, (eval("return bit.bor(2, 4)")))
    assert.are.equal(3, (eval("local co = coroutine.wrap(function() coroutine.yield(1) coroutine.yield(3) end) co() return co()")))
    assert.are.equal("own words", (eval("return tostring(setmetatable({}, { __tostring = function() return 'own words' end }))")))
    assert.is_true((eval("return missing(nil) and missing(0 / 0) and missing(1 / 0) and not missing(0) and not missing('x')")))
  end)
end)

describe("the order of keys", function()
  it("is numbers, then texts, then booleans", function()
    local code = "local s = '' for k in pairs { b = 1, [3] = 1, a = 1, [true] = 1, [-1] = 1, [false] = 1, [1.5] = 1 } do s = s .. tostring(k) .. ' ' end return s"
    assert.are.equal("-1 1.5 3 a b false true ", (eval(code)))
  end)

  it("is that of next too", function()
    assert.are.equal("1 2 a ", (eval("local t, s, k = { 5, 6, a = 7 }, '' repeat k = next(t, k) if k then s = s .. k .. ' ' end until k == nil return s")))
    assert.is_nil((eval("return next({})")))
    assert.matches("next: the key is not in the table", fault("return (next({ 1 }, 5))"))
  end)

  it("goes with values that are false", function()
    assert.are.same({ "a", false }, { eval("return next { a = false }") })
    assert.are.same({ "b", false }, { eval("return next({ a = 1, b = false }, 'a')") })
    assert.are.equal(0, (eval("return select('#', pairs({})) - 3")))
  end)

  it("lets entries go while walking", function()
    assert.are.equal("a c ", (eval("local t, s = { a = 1, b = 1, c = 1 }, '' for k in pairs(t) do s = s .. k .. ' ' t.b = nil end return s")))
  end)

  it("of other keys is an error", function()
    assert.matches("pairs: keys of type table have no order", fault("for _ in pairs { [{}] = 1 } do end"))
    assert.matches("pairs: table expected, got vector", fault("for _ in pairs(vec.new(1)) do end"))
  end)
end)

describe("random numbers", function()
  it("are the same for the same script, parameters and window, and no others", function()
    local a, script = run("return { a = math.random(), b = math.random() }")
    local again = script:run { close = { 1, 2, 3 } }
    local later = script:run { close = { 1, 2, 3, 4 } }
    local other = script:run { close = { 1, 2, 3 }, symbol = "OTHERUSDT" }
    assert.are.same(a.data, again.data)
    assert.are_not.equal(a.data.a, a.data.b)
    assert.are_not.equal(a.data.a, later.data.a)
    assert.are_not.equal(a.data.a, other.data.a)
  end)

  it("lie where they are asked for", function()
    local low, high, n = eval([[
      local low, high, seen, n = 9, 0, {}, 0
      for _ = 1, 2000 do
        local x, k = math.random(), math.random(3, 7)
        if x < 0 or x >= 1 or k % 1 ~= 0 then error("x") end
        low, high = math.min(low, k), math.max(high, k)
        k = math.random(4)
        if not seen[k] then n = n + 1 end
        seen[k] = true
      end
      return low, high, n]])
    assert.are.same({ 3, 7, 4 }, { low, high, n })
    assert.matches("range is empty", fault("local x = math.random(2, 1) return x"))
  end)
end)

describe("an error", function()
  it("has the message, the file and the line", function()
    local e = run("\nlocal t\nreturn { a = t.x + 1 }").metadata.error
    assert.are.same({ message = "attempt to index local 't' (a nil value)", file = "calculators/x.lua", line = 5 }, e)
    e = run("error('no luck')").metadata.error
    assert.are.same({ message = "no luck", file = "calculators/x.lua", line = 3 }, e)
    e = run("error('no luck', 0)").metadata.error
    assert.are.same({ message = "no luck", file = "calculators/x.lua", line = 3 }, e)
  end)

  it("in a vector's method is at the line that called it", function()
    local e = run("local v = w.close\nlocal m = v:quantile(7)\nreturn { a = m }").metadata.error
    assert.are.same({ message = "bad argument #1 to 'quantile' (must be in 0 .. 1)", file = "calculators/x.lua", line = 4 }, e)
  end)

  it("in a coroutine or caught and raised again keeps its place", function()
    local e = run("local ok, why = pcall(function()\nerror('deep')\nend)\nerror(why, 0)").metadata.error
    assert.are.same({ message = "deep", file = "calculators/x.lua", line = 4 }, e)
  end)

  it("leaves all outputs null, and the next call undisturbed", function()
    local r, script = run("if w.n == 3 then error('three') end\nreturn { a = w.n, b = 2 }")
    assert.are.equal("error", r.status)
    assert.are.same({}, r.data)
    assert.are.same({ a = "error", b = "error" }, r.metadata.reasons)
    assert.are.equal(4, script:run({ close = { 1, 2, 3, 4 } }).data.a)
  end)

  it("of memory is one of the script, and leaves room for the next call", function()
    local r, script = run("local t = {}\nif w.n == 3 then for i = 1, 1e8 do t[i] = { i } end end\nreturn { a = 1, b = 2 }")
    assert.are.equal("not enough memory: a call may use 64 MiB ([scripts] memory)", r.metadata.error.message)
    assert.are.equal(1, script:run({ close = { 1, 2, 3, 4 } }).data.a)
  end)

  it("while a file loads is at its line", function()
    local _, why = petrosa.load("local x = {}\nlocal y = x.z.q\n", "calculators/x.lua")
    assert.are.equal("calculators/x.lua:2: attempt to index field 'z' (a nil value)", why)
  end)

  it("that is no UTF-8 becomes UTF-8, its file too", function()
    local e = run("return error('\\255\\254:12: \\255 words', 0)").metadata.error
    assert.are.same({ "??", 12, "? words" }, { e.file, e.line, e.message })
  end)

  it("of a file with a long name names it in full", function()
    local long = ("a"):rep(100) .. "/x.lua"
    local _, why = petrosa.load("local x = {}\nlocal y = x.z.q\n", long)
    assert.are.equal(long .. ":2: attempt to index field 'z' (a nil value)", why)
    _, why = petrosa.load("return calculator {\n  api = 1,\n  name = 5,\n}\n", long)
    assert.are.equal(long .. ':3: name: must be a-z, then a-z, 0-9, _, at most 41 long, got 5', why)
    _, why = petrosa.load("return calculator {\n  api = ,\n}\n", long)
    assert.are.equal(long .. ":2: unexpected symbol near ','", why)
  end)
end)

describe("between two calls", function()
  it("vectors and windows do not last", function()
    local r, script = run("kept[1] = kept[1] or w.close\nreturn { a = kept[1]:get(1), b = 1 }", nil, "local kept = {}\n")
    assert.are.equal(1, r.data.a)
    assert.matches("vector from an earlier call", script:run({ close = { 1, 2 } }).metadata.error.message)
    r, script = run("kept[1] = kept[1] or w\nreturn { a = kept[1].n, b = 1 }", nil, "local kept = {}\n")
    assert.are.equal(3, r.data.a)
    assert.matches("window from an earlier call", script:run({ close = { 1, 2 } }).metadata.error.message)
    r, script = run("kept[1] = kept[1] or w.close\nreturn { a = #kept[1], b = (kept[1] + 1):sum() }", nil, "local kept = {}\n")
    assert.are.equal(9, r.data.b)
    assert.matches("vector from an earlier call", script:run({ close = { 1, 2 } }).metadata.error.message)
  end)
end)

describe("a function of the parameters in needs", function()
  local function sized(code, compute)
    return assert(petrosa.load(code .. [[return calculator { api = 1, name = "x", about = "x", outputs = { a = "none" },
      params = { big = bool { default = false } }, needs = { candles = { span = "5h", bars = function(p) return bars(p) end } },
      compute = function(w) ]] .. (compute or "return { a = w.expected }") .. " end }", "calculators/x.lua"))
  end

  it("is a call of its own: no vector of the file or of an earlier call lasts into it", function()
    assert.matches("vector from an earlier call", sized("local n, v = 0, vec.new(10, 42)\nlocal function bars() n = n + 1 return n > 1 and v:get(1) or 9 end\n")
      :run({ close = { 1 } }).metadata.error.message)
    local kept = sized("local n, v = 0\nlocal function bars() n = n + 1 if n > 2 then return v:get(1) end v = vec.new(10, 43) return v:get(2) end\n")
    assert.are.equal(43, kept:run({ close = { 1 } }).data.a)
    assert.matches("vector from an earlier call", kept:run({ close = { 1 } }).metadata.error.message)
  end)

  it("has random numbers that do not depend on earlier calls", function()
    local script = sized("local function bars() return math.random(10, 100000) end\n", "math.random() return { a = w.expected }")
    local first = script:run({ close = { 1 } }).data.a
    for _ = 1, 3 do assert.are.equal(first, script:run({ close = { 1 } }).data.a) end
  end)

  it("that fills the memory leaves room for the next call", function()
    local script = sized("local function bars(p) return p.big and #string.rep('x', 1e9) or 7 end\n")
    assert.matches("not enough memory", script:run({ close = { 1 }, params = { big = true } }).metadata.error.message)
    assert.are.equal(7, script:run({ close = { 1 } }).data.a)
  end)
end)

describe("compiled code", function()
  it("gives the bits that the interpreter gives", function()
    local body = [[
      local v, s, t = w.close, 0, vec.new(w.n)
      for r = 1, 300 do
        for i = 2, w.n do
          s = s + math.sqrt(v:get(i)) / (r + i) - math.sin(v:get(i - 1)) ^ 2
          t:set(i, s % 7)
        end
      end
      return { a = s, b = t:sum() + math.random() }]]
    local text = HEAD .. "compute = function(w)\n" .. body .. "\nend }\n"
    local bars = { close = { 100.25, 101.5, 99.125, 98, 103.75 } }
    local compiled, interpreted = assert(petrosa.load(text, "x.lua")):run(bars).data, assert(petrosa.load(text, "x.lua", true)):run(bars).data
    assert.is_number(compiled.a)
    assert.are.equal(compiled.a, interpreted.a)
    assert.are.equal(compiled.b, interpreted.b)
  end)
end)

describe("libraries", function()
  local folder

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir -p " .. folder .. "/lib " .. folder .. "/calculators"))
    local function write(name, text)
      local file = assert(io.open(folder .. "/" .. name, "w"))
      file:write(text)
      file:close()
    end
    write("lib/half.lua", "return { of = function(x) return x / 2 end }")
    write("lib/circle.lua", "local c = require 'circle'\nreturn c")
    write("lib/nothing.lua", "local x = 1")
    write("lib/broken.lua", "local x = \n")
    write("calculators/x.lua", "local half = require 'half'\nassert(half == require 'half')\n" .. HEAD .. "compute = function() return { a = half.of(5), b = 1 } end }")
    for _, name in ipairs { "circle", "nothing", "broken", "absent" } do write("calculators/" .. name .. ".lua", "local x = require '" .. name .. "'\n" .. HEAD .. "compute = 1 }") end
  end)

  teardown(function() os.execute("rm -r " .. folder) end)

  it("are files of lib beside the script's folder, loaded once a script", function()
    assert.are.equal(2.5, assert(petrosa.load(folder .. "/calculators/x.lua")):run({ close = { 1 } }).data.a)
  end)

  it("that cannot be had are named", function()
    local function why(name) return (select(2, petrosa.load(folder .. "/calculators/" .. name .. ".lua"))) end
    assert.matches("require 'absent': there is no such file in scripts/lib", why "absent")
    assert.matches("circle.lua:1: require 'circle': it requires itself", why "circle")
    assert.matches("nothing.lua:1: a library returns what it offers", why "nothing")
    assert.matches("lib/broken.lua:%d+: unexpected symbol", why "broken")
  end)
end)
