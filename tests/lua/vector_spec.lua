--- Vectors: each method against its definition written out here, then missing values, short input, bounds, misuse.
-- The kernels behind them have suites of their own (tests/c/num); here it is about what arrives in Lua.
local petrosa = require "petrosa"
local nan, inf = 0 / 0, 1 / 0
local covered = {}

local function eval(code, ...) return petrosa.eval(code, ...) end

-- v:NAME(...) for a list v
local function call(name, v, ...)
  covered[name] = true
  return eval("local v, name = ... return v[name](v, select(3, ...))", v, name, ...)
end

local function fault(code, ...)
  local ok, text = pcall(petrosa.eval, code, ...)
  assert.is_false(ok)
  return text
end

local function close(want, got, tolerance)
  assert.is_number(got)
  if want ~= want then return assert.is_true(got ~= got, "missing expected, got " .. got) end
  assert.is_true(math.abs(want - got) <= (tolerance or 1e-12) * math.max(1, math.abs(want)), want .. " expected, got " .. got)
end

local function same(want, got, tolerance)
  assert.are.equal(#want, #got)
  for i = 1, #want do close(want[i], got[i], tolerance) end
end

local function sum(v, f)
  local s, n = 0, 0
  for i = 1, #v do
    if v[i] - v[i] == 0 then s, n = s + (f and f(v[i]) or v[i]), n + 1 end
  end
  return s, n
end

local function mean(v)
  local s, n = sum(v)
  return s / n
end

local function moment(v, k)
  local m = mean(v)
  local s, n = sum(v, function(x) return (x - m) ^ k end)
  return s / n, n
end

local function sorted(v)
  local t = {}
  for i = 1, #v do
    if v[i] - v[i] == 0 then t[#t + 1] = v[i] end
  end
  table.sort(t)
  return t
end

local function middle(v)
  local t = sorted(v)
  local n = #t
  return n % 2 == 1 and t[(n + 1) / 2] or (t[n / 2] + t[n / 2 + 1]) / 2
end

local function part(v, i, j)
  local t = {}
  for k = i, j do t[#t + 1] = v[k] end
  return t
end

local function map(v, f) -- f may take the index too
  local t, plain = {}, debug.getinfo(f, "S").what == "C"
  for i = 1, #v do t[i] = plain and f(v[i]) or f(v[i], i) end
  return t
end

-- a walk without a generator: the fractional parts of multiples of an irrational number
local function noise(n)
  local t = {}
  for i = 1, n do t[i] = (i * 0.6180339887498949) % 1 - 0.5 end
  return t
end

local x = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3 }
local y = { 2, 7, 1, 8, 2, 8, 1, 8, 2, 8 }
local holey = { 3, nan, 4, 1, nan, 9, 2, inf, 5, 3 }

describe("elements of a vector", function()
  it("are read by get, from 1 to #v", function()
    covered.get = true
    for i = 1, #x do assert.are.equal(x[i], (eval("local v, i = ... return v:get(i)", x, i))) end
    assert.are.equal(10, (eval("return #(...)", x)))
  end)

  it("outside raise, at the line that asks", function()
    for _, i in ipairs { 0, 11, -1, 1.5, nan, inf } do
      assert.matches("^eval.lua:2: get: index .* is not a whole number in 1 .. 10$", fault("local v, i = ...\nlocal y = v:get(i)\nreturn y", x, i))
    end
    assert.matches("index must be a number, got nil", fault("local v = ...\nlocal y = v:get()\nreturn y", x))
    assert.matches("index must be a number, got string", fault("local v = ...\nlocal y = v:get('1')\nreturn y", x))
  end)

  it("are changed by set, in own vectors", function()
    covered.set = true
    same({ 3, 10, 4 }, (eval("local v = (...):copy() v:set(2, 10) return v", { 3, 1, 4 })))
    assert.matches("set: number expected, got string", fault("local v = vec.new(1)\nv:set(1, 'x')"))
    assert.matches("index 2 is not", fault("local v = vec.new(1)\nv:set(2, 0)"))
  end)

  it("end with final", function()
    covered.final = true
    assert.are.equal(3, (eval("return (...):final()", x)))
    close(nan, (eval("return vec.new(0):final()")))
  end)

  it("cannot be reached in other ways", function()
    assert.matches("read by v:get", fault("local v = vec.new(1)\nreturn v[1]"))
    assert.matches("changed by v:set", fault("local v = vec.new(1)\nv[1] = 2"))
    assert.matches("changed by v:set", fault("local v = vec.new(1)\nv.x = 2"))
    assert.matches("vector has no method 'foo'", fault("local v = vec.new(1)\nv:foo()"))
    assert.matches("get: vector expected, got table", fault("local v = vec.new(1)\nlocal a = v.get({}, 1) return a"))
    assert.matches("vector expected, got no value", fault("local v = vec.new(1)\nlocal a = v.mean() return a"))
  end)

  it("make no difference between the compiled and the interpreted", function()
    local code = "local v, n = ... local s = 0 for r = 1, n do for i = 1, #v do s = s + v:get(i) * i end end return s"
    assert.are.equal(eval(code, x, 1) * 500, (eval(code, x, 500)))
  end)
end)

describe("parts of a vector", function()
  it("last and first give all there is when there is less", function()
    same({ 5, 3 }, call("last", x, 2))
    same(x, call("last", x, 99))
    same({}, call("last", x, 0))
    same({ 3, 1 }, call("first", x, 2))
    same(x, call("first", x, 99))
  end)

  it("sub is inclusive, from 1, and raises outside", function()
    same({ 1, 4, 1 }, call("sub", x, 2, 4))
    same(part(x, 2, 10), call("sub", x, 2))
    same({}, call("sub", x, 3, 2))
    same({}, call("sub", x, 11))
    for _, range in ipairs { "0, 2", "1, 11", "12", "4, 2", "1.5, 2", "nil, 2" } do
      assert.matches("bad argument", fault("local v = ... v:sub(" .. range .. ")", x))
    end
  end)

  it("are views: changing a part changes the whole", function()
    same({ 1, 7 }, (eval("local v = vec.of { 1, 2 } v:last(1):set(1, 7) return v")))
  end)

  it("copy and compact are new", function()
    same({ 1, 2 }, (eval("local v = vec.of { 1, 2 } v:copy():set(1, 7) return v")))
    same(x, call("copy", x))
    same({ 3, 4, 1, 9, 2, 5, 3 }, call("compact", holey))
    assert.are.equal(7, (call("count", holey)))
  end)

  it("vec.new and vec.of make vectors", function()
    covered.new, covered.of = true, true
    same({ 0, 0 }, (eval("return vec.new(2)")))
    same({ 5, 5 }, (eval("return vec.new(2, 5)")))
    same({ 1, nan }, (eval("return vec.of { 1, 0 / 0 }")))
    assert.matches("element 2 is a string", fault("return vec.of { 1, 'x' }"))
    assert.matches("whole number", fault("return vec.new(-1)"))
    assert.matches("number expected", fault("return vec.new()"))
    assert.matches("not enough memory", fault("return vec.new(2 ^ 31 - 1)"))
  end)
end)

describe("operators", function()
  it("work element by element, with numbers on either side", function()
    same(map(x, function(a, i) return a + y[i] end), (eval("local a, b = ... return a + b", x, y)))
    same(map(x, function(a, i) return a - y[i] end), (eval("local a, b = ... return a - b", x, y)))
    same(map(x, function(a, i) return a * y[i] end), (eval("local a, b = ... return a * b", x, y)))
    same(map(x, function(a, i) return a / y[i] end), (eval("local a, b = ... return a / b", x, y)))
    for op, f in pairs {
      ["+"] = function(a, b) return a + b end, ["-"] = function(a, b) return a - b end,
      ["*"] = function(a, b) return a * b end, ["/"] = function(a, b) return a / b end,
    } do
      same(map(x, function(a) return f(a, 2) end), (eval("local a = ... return a " .. op .. " 2", x)))
      same(map(x, function(a) return f(2, a) end), (eval("local a = ... return 2 " .. op .. " a", x)))
    end
    same(map(x, function(a) return a * a end), (eval("return (...) ^ 2", x)))
    same(map(x, function(a) return a ^ 1.5 end), (eval("return (...) ^ 1.5", x)))
    same(map(x, function(a) return -a end), (eval("return -(...)", x)))
  end)

  it("keep what is missing missing", function()
    same({ nan, 3 }, (eval("return (...) + 1", { nan, 2 })))
    close(nan, (eval("return (vec.of { 1 } / 0):mean()")))
  end)

  it("need vectors of one length", function()
    assert.matches("%+: vectors of 2 and 3 elements", fault("return vec.new(2) + vec.new(3)"))
    assert.matches("%+: a vector and a string", fault("return vec.new(2) + 'x'"))
    assert.matches("%*: a vector and a nil", fault("return nil * vec.new(2)"))
    assert.matches("raised to a number", fault("return 2 ^ vec.new(2)"))
    assert.matches("joined to text", fault("return vec.new(2) .. 'x'"))
  end)

  it("== compares all elements, and missing equals missing", function()
    assert.is_true((eval("local a, b = ... return a == b", holey, holey)))
    assert.is_false((eval("local a, b = ... return a == b", { 1, 2 }, { 1, 3 })))
    assert.is_false((eval("local a, b = ... return a == b", { 1, 2 }, { 1 })))
    assert.is_false((eval("local a, b = ... return a == b", { 1, nan }, { 1, 2 })))
  end)
end)

describe("element by element", function()
  it("functions", function()
    same(map(x, math.log), call("log", x))
    same(map(x, math.exp), call("exp", x))
    same(map(x, math.sqrt), call("sqrt", x))
    same(map(x, function(a) return a * a end), call("square", x))
    same({ 1, 0, 2 }, call("abs", { -1, 0, 2 }))
    same({ -1, 0, 1, nan }, call("sign", { -3, 0, 2, nan }))
    same(map(x, function(a) return a ^ 3 end), call("pow", x, 3), 1e-12)
    same({ nan, nan }, eval("local v = (...):log() return v * 0", { 0, -1 }))
  end)

  it("bounds and the smaller or larger of two", function()
    same({ 2, 3, 4 }, call("clip", { 1, 3, 9 }, 2, 4))
    same({ 1, 3, 4 }, (eval("return (...):clip(nil, 4)", { 1, 3, 9 })))
    same({ 2, 3, 9 }, (eval("return (...):clip(2)", { 1, 3, 9 })))
    assert.matches("below the lower", fault("return vec.new(1):clip(2, 1)"))
    same({ 1, 2 }, call("lesser", { 1, 3 }, { 4, 2 }))
    same({ 4, 3 }, call("greater", { 1, 3 }, { 4, 2 }))
    same({ 1, 2 }, call("lesser", { 1, 3 }, 2))
    same({ 2, 3 }, call("greater", { 1, 3 }, 2))
  end)

  it("masks", function()
    local a, b = { 1, 2, 3, nan }, { 2, 2, 2, 2 }
    for name, want in pairs {
      lt = { 1, 0, 0, nan }, le = { 1, 1, 0, nan }, gt = { 0, 0, 1, nan }, ge = { 0, 1, 1, nan }, eq = { 0, 1, 0, nan }, ne = { 1, 0, 1, nan },
    } do
      same(want, call(name, a, b))
      same(want, call(name, a, 2))
    end
    same({ 5, 20, nan }, call("where", { 1, 0, nan }, { 5, 6, 7 }, { 10, 20, 30 }))
    same({ 5, 0 }, call("where", { 1, 0 }, 5, 0))
  end)

  it("shifts, differences and running sums", function()
    same({ nan, 3, 1 }, call("shift", { 3, 1, 4 }))
    same({ 4, nan, nan }, call("shift", { 3, 1, 4 }, -2))
    same({ nan, -2, 3 }, call("diff", { 3, 1, 4 }))
    same({ nan, nan, 1 }, call("diff", { 3, 1, 4 }, 2))
    same({ nan, 100, -50 }, call("roc", { 3, 6, 3 }))
    same({ 3, nan, 7 }, call("cumsum", { 3, nan, 4 }))
    same({ 3, 0, 4 }, call("fill", { 3, nan, 4 }, 0))
    same({ nan, 3, 3 }, call("fill_forward", { nan, 3, nan }))
  end)
end)

describe("statistics", function()
  it("are what they say", function()
    local n = #x
    local m2, m3, m4 = moment(x, 2), moment(x, 3), moment(x, 4)
    close(39, call("sum", x))
    close(3.9, call("mean", x))
    close(m2 * n / (n - 1), call("var", x))
    close(math.sqrt(m2 * n / (n - 1)), call("std", x))
    close(math.sqrt(m2), call("std", x, 0))
    close(1, call("min", x))
    close(9, call("max", x))
    assert.are.equal(2, (call("argmin", x)))
    assert.are.equal(6, (call("argmax", x)))
    close(middle(x), call("median", x))
    local mad, centre = call("mad", x)
    close(middle(map(x, function(a) return math.abs(a - middle(x)) end)), mad)
    close(middle(x), centre)
    local means, deviations = call("leave_one_out", x)
    for i = 1, n do
      local others = {}
      for k = 1, n do if k ~= i then others[#others + 1] = x[k] end end
      close(mean(others), means[i])
      close(math.sqrt(moment(others, 2) * (n - 1) / (n - 2)), deviations[i])
    end
    close(1.9, call("quantile", sorted(x), 0.2), 0.2)
    close(sorted(x)[1], call("quantile", x, 0))
    close(0.4 * 4 + 0.6 * 3, call("quantile", { 3, 4 }, 0.4))
    close(3, call("weighted_quantile", { 3, 1, 2, nan, 9 }, { 5, 2, 3, 4, nan }, 0.51))
    close(2, call("weighted_quantile", { 3, 1, 2 }, { 5, 2, 3 }, 0.5))
    close(nan, call("weighted_quantile", { 3, 1 }, { 0, 0 }, 0.5))
    close(0.6, call("rank", x, 4))
    close(mean(map(x, function(a) return math.abs(a - 4) end)), call("mean_deviation", x, 4))
    close(m3 / m2 ^ 1.5, call("skewness_biased", x))
    close(m4 / m2 ^ 2 - 3, call("kurtosis_biased", x))
    close(m3 / m2 ^ 1.5 * math.sqrt(n * (n - 1)) / (n - 2), call("skewness", x))
    close((n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (m4 / m2 ^ 2 - 3) + 6), call("kurtosis", x))
    local p, q = call("jarque_bera_p", x)
    close(n / 6 * ((m3 / m2 ^ 1.5) ^ 2 + (m4 / m2 ^ 2 - 3) ^ 2 / 4), q)
    close(math.exp(-q / 2), p)
  end)

  it("of two vectors use the pairs that are there", function()
    local cov = 0
    for i = 1, #x do cov = cov + (x[i] - mean(x)) * (y[i] - mean(y)) end
    close(cov / 9, call("cov", x, y))
    close(cov / 10, call("cov", x, y, 0))
    close(cov / math.sqrt(moment(x, 2) * 10 * moment(y, 2) * 10), call("pearson", x, y))
    close(cov / (moment(y, 2) * 10), call("beta", x, y))
    local s = 0
    for i = 1, #x do s = s + x[i] * y[i] end
    close(s, call("dot", x, y))
    local _, pairs_there = call("beta", holey, y)
    assert.are.equal(7, pairs_there)
    close(nan, (call("pearson", { 1, 1, 1 }, { 1, 2, 3 })))
    assert.matches("vector of 10 elements expected, got 2", fault("local v, u = ... v:beta(u)", x, { 1, 2 }))
  end)

  it("skip what is missing while half of the elements are there", function()
    local there = sorted(holey)
    for _, name in ipairs { "mean", "std", "median", "min", "max", "skewness", "kurtosis", "mad" } do
      close((call(name, there)), (call(name, holey)), 1e-12)
    end
    close(nan, (call("sum", holey)))
    close(2, (call("mean", { 2, nan, nan, 2 })))
    for _, name in ipairs { "mean", "std", "median", "min", "skewness" } do close(nan, (call(name, { 1, 2, nan, nan, nan }))) end
  end)

  it("of nothing are missing", function()
    for _, name in ipairs { "mean", "std", "var", "min", "max", "median", "mad", "skewness", "kurtosis", "downside", "hurst", "half_life", "fit" } do
      close(nan, (eval("return (vec.new(0)[...](vec.new(0)))", name)))
    end
    assert.is_nil((eval("return vec.new(0):argmin()")))
    close(0, (eval("return vec.new(0):sum()")))
  end)

  it("name the argument that is wrong", function()
    assert.matches("bad argument #1 to 'quantile' %(must be in 0 .. 1%)", fault("local v = ... v:quantile(2)", x))
    assert.matches("bad argument #1 to 'std' %(a whole number", fault("local v = ... v:std(0.5)", x))
    assert.matches("bad argument #1 to 'rolling_mean' %(number expected, got no value%)", fault("local v = ... v:rolling_mean()", x))
    assert.matches("bad argument #1 to 'variance_ratio' %(a whole number", fault("local v = ... v:variance_ratio(1)", x))
  end)
end)

describe("order in time", function()
  local r = noise(400)

  it("autocorrelation and acf", function()
    local a, b = part(r, 2, 400), part(r, 1, 399)
    local got, n = call("autocorrelation", r)
    close((call("pearson", a, b)), got, 1e-12)
    assert.are.equal(399, n)
    local m, num, den = mean(r), 0, 0
    for i = 1, 400 do
      den = den + (r[i] - m) ^ 2
      if i > 3 then num = num + (r[i] - m) * (r[i - 3] - m) end
    end
    close(num / den, call("acf", r, 3), 1e-12)
    close(1, call("acf", r, 0))
  end)

  it("Ljung-Box", function()
    local q = 0
    for k = 1, 10 do q = q + call("acf", r, k) ^ 2 / (400 - k) end
    local p, got = call("ljung_box_p", r)
    close(400 * 402 * q, got, 1e-10)
    assert.is_true(p >= 0 and p <= 1)
  end)

  it("variance ratio of independent returns is near 1, of a sum of two above", function()
    local both = {}
    for i = 1, 399 do both[i] = r[i] + r[i + 1] end
    local ratio, z = call("variance_ratio", both, 2)
    local acf1 = call("acf", both, 1)
    assert.is_true(math.abs(ratio - (1 + acf1)) < 0.02)
    assert.are.equal(acf1 > 0, z > 0)
  end)

  it("hurst needs 100", function()
    close(nan, (call("hurst", part(r, 1, 99))))
    assert.is_true(call("hurst", r) > 0)
  end)

  it("half-life of an exact decay", function()
    close(5, call("half_life", map(noise(60), function(_, i) return 0.5 ^ (i / 5) end)), 1e-6)
    close(nan, (call("half_life", map(noise(60), function(_, i) return 1.1 ^ i end))))
  end)

  it("a straight line", function()
    local slope, t, intercept, used = call("fit", { 1, 3, 5, 7.5 })
    close(2.15, slope)
    close(0.9, intercept, 1e-12)
    assert.are.equal(4, used)
    assert.is_true(t > 10)
  end)

  it("deviations of returns", function()
    local down, up = call("downside", r), call("upside", r)
    close(sum(r, function(a) return a * a end) / 400, down ^ 2 + up ^ 2)
    local v = sum(part(r, 1, 20), function(a) return a * a end) / 20
    for i = 21, 400 do v = 0.94 * v + 0.06 * r[i] ^ 2 end
    close(math.sqrt(v), call("ewma", r))
    close(nan, (call("ewma", part(r, 1, 19))))
    assert.matches("between 0 and 1", fault("return (...):ewma(1)", r))
  end)
end)

describe("rolling", function()
  local statistics = { mean = "mean", std = "std", var = "var", min = "min", max = "max", median = "median" }

  it("is the statistic of each part that lies inside", function()
    for name, of in pairs(statistics) do
      local got = call("rolling_" .. name, x, 4)
      for i = 1, 10 do close(i < 4 and nan or (call(of, part(x, i - 3, i))), got[i], 1e-12) end
    end
    local got = call("rolling_sum", x, 4)
    for i = 4, 10 do close((sum(part(x, i - 3, i))), got[i]) end
    same(call("rolling_mean", x, 3), call("sma", x, 3))
    close(math.sqrt(moment(part(x, 1, 4), 2)), call("rolling_std", x, 4, 0)[4])
  end)

  it("needs half of the elements, or as many as asked for", function()
    local v = { 1, nan, nan, 4, 5, 6 }
    same({ nan, nan, nan, 2.5, 4.5, 5 }, call("rolling_mean", v, 4))
    same({ nan, nan, nan, nan, nan, 5 }, call("rolling_mean", v, 4, 3))
    same({ nan, nan, nan, 4, 4.5, 5 }, call("rolling_mean", { nan, nan, nan, 4, 5, 6 }, 4, 1))
    same({ nan, nan }, call("rolling_mean", { 1, 2 }, 3))
  end)

  it("averages", function()
    local function recursive(v, n, a)
      local out, s = {}, mean(part(v, 1, n))
      for i = 1, #v do
        if i > n then s = s + a * (v[i] - s) end
        out[i] = i < n and nan or s
      end
      return out
    end
    same(recursive(x, 3, 0.5), call("ema", x, 3))
    same(recursive(x, 3, 1 / 3), call("wilder", x, 3))
    local weighted = call("wma", x, 3)
    close((1 * 3 + 2 * 1 + 3 * 4) / 6, weighted[3])
    local num, den, adjusted = 0, 0, call("ema_adjusted", x, 3)
    for i = 1, 10 do
      num, den = x[i] + 0.5 * num, 1 + 0.5 * den
      close(num / den, adjusted[i])
    end
  end)

  it("indicators", function()
    same(map(part(x, 1, 5), function(_, i) return i < 4 and nan or i == 4 and 100 * 3 / 5 or 100 end),
      call("rsi_cutler", { 3, 1, 4, 4, 8 }, 3))
    close(100 * 3 / 5, call("rsi", { 3, 1, 4, 4, 8 }, 3)[4])
    local macd, signal, histogram = call("macd", x, 2, 3, 2)
    local fast, slow = call("ema", x, 2), call("ema", x, 3)
    for i = 3, 10 do close(fast[i] - slow[i], macd[i]) end
    close((macd[3] + macd[4]) / 2, signal[4])
    close(macd[10] - signal[10], histogram[10])
    close(math.abs(4 - 3) / (2 + 3), call("efficiency_ratio", x, 2)[3])
    local side = call("side", { 1, 2, 3, 1 }, { 2, 2, 2, 2 }, { 1, 1, 1, 1 })
    same({ -1, 0, 1, -1 }, side)
    assert.are.same({ -1, -1, 0 }, { call("last_cross", side) })
    assert.are.same({ 1, 0, 1 }, { call("last_cross", { -1, 1, 1 }) })
    assert.are.same({ 1, 0, nil }, { call("last_cross", { 1, 1 }) })
  end)
end)

describe("seasons and cycles", function()
  local wave = {}
  for i = 1, 600 do wave[i] = math.sin(2 * math.pi * i / 12) + 0.3 * math.sin(i * i) end

  it("group keeps the order within a key, and what is missing", function()
    covered.group = true
    local lists = { eval([[
      local v, keys = ...
      local g = v:group(keys, 3)
      return #g, g[1], g[2], g[3] ]], { 1, 2, nan, 4, 5, 6 }, { 2, 0, 2, 7, nan, 2 }) }
    assert.are.equal(3, lists[1])
    same({ 2 }, lists[2])
    same({}, lists[3])
    same({ 1, nan, 6 }, lists[4])
    assert.is_truthy(fault("local v = ... v:group(v, 0)", { 1 }):find("group", 1, true))
    assert.is_truthy(fault("local v = ... v:group(v, 1025)", { 1 }):find("group", 1, true))
    assert.is_truthy(fault("local v = ... v:group(vec.new(2), 3)", { 1 }):find("group", 1, true))
  end)

  it("numbers of groups are those of the vectors of group, to the bit", function()
    local v, keys = {}, {}
    for i = 1, 5000 do
      v[i] = i % 11 == 0 and i % 4 == 3 and nan or math.sin(i * i) * 1e3
      keys[i] = i % 13 == 0 and 99 or math.floor(i / 40) % 6 -- runs of one key; 6 and 7 have nothing
    end
    for _, name in ipairs { "mean", "sum" } do
      covered["group_" .. name] = true
      local numbers, sizes, one_by_one, lengths = eval(([[
        local v, keys = ...
        local numbers, sizes = v:group_%s(keys, 8)
        local one_by_one, lengths = vec.new(8), vec.new(8)
        for i, values in ipairs(v:group(keys, 8)) do
          one_by_one:set(i, values:%s())
          lengths:set(i, #values)
        end
        return numbers, sizes, one_by_one, lengths ]]):format(name, name), v, keys)
      same(one_by_one, numbers)
      same(lengths, sizes)
      assert.is_true(sizes[1] > 700 and sizes[8] == 0)
      assert.is_truthy(fault("local v = ... v:group_" .. name .. "(vec.new(2), 3)", { 1 }):find("group_" .. name, 1, true))
    end
  end)

  it("hac of lag 0 is the plain t with n in place of n - 1", function()
    local v = { 3, 1, 4, 1, 5, 9, 2, 6 }
    local t, p, m, used = call("hac", v, 0)
    close(mean(v), m)
    close(mean(v) / math.sqrt(moment(v, 2) / 8), t)
    assert.is_true(p > 0 and p < 0.01)
    assert.are.equal(8, used)
    -- lag 1, by hand: products of neighbouring deviations count once, twice a half
    local s = 8 * moment(v, 2)
    for i = 2, 8 do s = s + (v[i] - m) * (v[i - 1] - m) end
    close(m / (math.sqrt(s) / 8), (call("hac", v, 1)))
    close((call("hac", v, 2)), (call("hac", { 3, 1, 4, nan, 1, 5, 9, 2, 6 }, 2)))
    close((call("hac", v, 2)), (call("hac", { 3, 1, 4, 1, 5, 9, 2, 6 }, 2)))
    close((call("hac", v, 2)), (call("hac", v))) -- floor(4 0.08^(2/9)) = 2
    close(nan, (call("hac", { 3, nan, nan, nan, 4 })))
    close(nan, (call("hac", { 3, 3, 3 })))
  end)

  it("fdr is Benjamini-Hochberg", function()
    same({ 0.04, nan, 0.8, 0.05, 0.05 }, call("fdr", { 0.01, nan, 0.8, 0.0375, 0.03 }))
    same({}, eval("return vec.new(0):fdr()"))
  end)

  it("welch holds the variance, and shows a wave in its bin", function()
    local power, total = call("welch", wave, 120), 0
    assert.are.equal(61, #power)
    for i = 2, 61 do total = total + power[i] / 120 end
    close(moment(wave, 2), total, 0.05)
    local _, at = 0, 1
    for i = 2, 61 do at = power[i] > power[at] and i or at end
    assert.are.equal(11, at) -- 10 / 120 = 1 / 12
    assert.are.equal(129, #call("welch", wave))
    same({}, eval("return vec.new(0):welch()"))
    local holed = { 1, nan, 3, 4 }
    for _, p in ipairs(call("welch", holed)) do close(nan, p) end
  end)

  it("cycles finds the wave first, and says how sure it is", function()
    local period, power, p = call("cycles", wave)
    assert.are.equal(3, #period)
    close(12, period[1], 1e-2)
    assert.is_true(p[1] < 1e-6 and power[1] > 10)
    assert.are.equal(1, #call("cycles", wave, 1))
    assert.are.equal(0, #call("cycles", { 1, nan, 3, 2, 5, 4, 1, 2, 9, 8, 7, 1 }))
    assert.is_truthy(fault("local v = ... v:cycles(0)", { 1 }):find("cycles", 1, true))
    assert.is_truthy(fault("local v = ... v:cycles(101)", { 1 }):find("cycles", 1, true))
    assert.is_truthy(fault("local v = ... v:cycles(3, 1)", { 1 }):find("cycles", 1, true))
  end)

  it("entropies", function()
    close(math.log(2), call("entropy", { 1, 1, 2, 2 }, 2))
    close(0, call("entropy", { 5, 5, 5 }, 10))
    close(math.log(4), call("entropy", { -9, 1.5, 2.5, 9 }, 4, 0, 4))
    close(nan, call("entropy", { 1, nan, nan, nan }, 2))
    close(nan, eval("return vec.new(0):entropy(2)"))
    assert.is_truthy(fault("local v = ... v:entropy(4, 2, 1)", { 1, 2 }):find("entropy", 1, true))
    assert.is_truthy(fault("local v = ... v:entropy(0)", { 1, 2 }):find("entropy", 1, true))
    close(0, call("permutation_entropy", { 1, 2, 3, 4, 5 }))
    close(1, call("permutation_entropy", { 1, 2, 1 }, 2))
    close(0, call("permutation_entropy", { 1, 2, nan, 1, 2 }, 2))
    close(nan, call("permutation_entropy", { 1, 2, nan, 1 }, 3))
    assert.is_truthy(fault("local v = ... v:permutation_entropy(8)", { 1, 2 }):find("permutation_entropy", 1, true))
  end)
end)

describe("who leads, who follows", function()
  -- numbers without memory, and the same two later
  local white_noise, late = {}, {}
  for i = 1, 200 do white_noise[i] = math.sin(i * i * 1.37) end
  for i = 1, 200 do late[i] = i > 2 and white_noise[i - 2] or 0 end

  it("cross_correlation gives its own memory back, so that it can be called for each symbol", function()
    assert.are.equal(0, (eval("local v = ... local lag; for i = 1, 20000 do lag = v:cross_correlation(v, 48, 2) end; return lag", white_noise)))
  end)

  it("prewhiten takes the memory of one element out", function()
    local series, memory = {}, 0
    for i = 1, 200 do
      memory = 0.8 * memory + white_noise[i]
      series[i] = memory
    end
    local white, phi = call("prewhiten", series)
    assert.is_true(math.abs(phi - 0.8) < 0.1)
    close(nan, white[1])
    local m = mean(series)
    close((series[9] - m) - phi * (series[8] - m), white[9], 1e-12)
    close(nan, select(2, call("prewhiten", { 5, 5, 5, 5 })))
  end)

  it("cross_correlation finds who is late", function()
    local lag, r, bound, pairs = eval("local v, u = ... return v:cross_correlation(u, 5)", late, white_noise)
    same({ 2, 198 }, { lag, pairs })
    close(1, r, 1e-12)
    close(3.3171 / math.sqrt(198), bound, 1e-3) -- the normal quantile of 1 - 0.01 / 22
    covered.cross_correlation = true
    assert.are.equal(-2, (eval("local v, u = ... return v:cross_correlation(u, 5)", white_noise, late)))
    close(nan, (eval("local v, u = ... return v:cross_correlation(u, 5, 500)", white_noise, late)))
    assert.is_truthy(fault("local v, u = ... v:cross_correlation(u, 5)", { 1, 2 }, { 1 }):find("2 elements expected", 1, true))
    assert.is_truthy(fault("local v, u = ... v:cross_correlation(u, 1, 2, 3)", { 1 }, { 1 }):find("between 0 and 1", 1, true))
  end)

  it("fisher gives the interval of a correlation", function()
    local low, high = eval("return vec.fisher(0.5, 103)")
    close(math.tanh(0.5 * math.log(3) - 0.1959964), low, 1e-12)
    close(math.tanh(0.5 * math.log(3) + 0.1959964), high, 1e-12)
    close(nan, (eval("return vec.fisher(0.5, 3)")))
    covered.fisher = true
  end)
end)

describe("what stands apart", function()
  local FOREST = "local x, y, n, a, b, c = ... return vec.isolation_forest({ x, y }, n, a, b, c)"
  -- two features of rows that are much alike, one row far off, one without a feature
  local first, second = {}, {}
  for i = 1, 300 do first[i], second[i] = math.sin(i * i * 1.37), math.cos(i * i * 0.71) end
  first[70], second[70], first[200] = 9, -7, nan

  it("isolation_forest scores rows by those that it was fitted on", function()
    covered.isolation_forest = true
    local scores, used = eval(FOREST, first, second, 300)
    close(299, used)
    assert.are.equal(300, #scores)
    close(nan, scores[200])
    for i = 1, 300 do assert.is_true(i == 200 or i == 70 or scores[i] > 0.3 and scores[i] < 0.65, i .. ": " .. scores[i]) end
    assert.is_true(scores[70] > 0.75 and scores[70] < 0.95, scores[70])
    local early
    early, used = eval(FOREST, first, second, 60)
    close(60, used)
    assert.is_true(early[70] > 0.6 and early[70] ~= scores[70])
    local rest = {} -- rows after the fitted ones change nothing before them
    for i = 1, 100 do rest[i] = first[i] end
    local cut = eval("local x, y, n = ... return (vec.isolation_forest({ x, y:first(100) }, n))", rest, second, 60)
    for i = 1, 100 do assert.are.equal(early[i], cut[i]) end
  end)

  it("isolation_forest is the same for the same seed, and asks all trees", function()
    local one, again, other = eval(FOREST, first, second, 300), eval(FOREST, first, second, 300, 100, 256, 42), eval(FOREST, first, second, 300, 100, 256, 43)
    same(one, again, 0)
    assert.is_true(one[1] ~= other[1] and math.abs(one[1] - other[1]) < 0.06)
    local stump = eval(FOREST, { 1, 2 }, { 5, 5 }, 2, 1)
    same({ 0.5, 0.5 }, stump, 0) -- one cut, c(2) = 1
    local list = eval("local x = ... return (vec.isolation_forest({ x }, 3, 1, 2))", { 0, 0, 1 }) -- two of three rows, in one tree
    same({ list[1], list[1], 0.5 }, list, 0) -- either the two zeros, never cut, or a zero and the one
  end)

  it("isolation_forest gives its own memory back", function()
    local many = "local x, y = ... local s; for i = 1, 2000 do s = vec.isolation_forest({ x, y }, 300, 1) end; return #s"
    assert.are.equal(300, (eval(many, first, second)))
  end)

  it("isolation_forest cannot tell from fewer than two rows", function()
    for _, n in ipairs { 0, 1 } do
      local scores, used = eval(FOREST, { 1, 2, 3 }, { 1, 2, 3 }, n)
      same({ nan, nan, nan }, scores)
      close(n, used)
    end
    close(0, (eval("return #vec.isolation_forest({ vec.new(0) }, 0)")))
    same({ nan, nan }, (eval(FOREST, { nan, 1 }, { 1, inf }, 2)))
  end)

  it("isolation_forest says what it cannot take", function()
    local function says(words, code, ...)
      local text = fault(code, ...)
      assert.is_truthy(text:find(words, 1, true), text)
    end
    says("vector 2 has 1 elements, the first one has 2", "local x, y = ... vec.isolation_forest({ x, y }, 1)", { 1, 2 }, { 1 })
    says("element 2 of the list is no vector", "local x = ... vec.isolation_forest({ x, 5 }, 1)", { 1, 2 })
    says("a list of 1 .. 32 vectors expected, got 0", "vec.isolation_forest({}, 0)")
    says("got 33", "local l, x = {}, ... for i = 1, 33 do l[i] = x end vec.isolation_forest(l, 1)", { 1, 2 })
    says("table expected", "local x = ... vec.isolation_forest(x, 1)", { 1, 2 })
    says("0 .. 2 expected", "local x = ... vec.isolation_forest({ x }, 3)", { 1, 2 })
    says("number expected", "local x = ... vec.isolation_forest({ x })", { 1, 2 })
    says("1 .. 1000 expected", "local x = ... vec.isolation_forest({ x }, 2, 1001)", { 1, 2 })
    says("2 .. 4096 expected", "local x = ... vec.isolation_forest({ x }, 2, 100, 1)", { 1, 2 })
    says("whole number", "local x = ... vec.isolation_forest({ x }, 2, 100, 256, 0.5)", { 1, 2 })
    says("not enough memory", "vec.isolation_forest({ vec.new(10000, 1) }, 10000, 1000, 4096)")
  end)
end)

describe("the reference of vectors", function()
  it("names nothing that is not tried above", function()
    for _, entry in ipairs(petrosa.reference()) do
      if entry.group:match("^Vector") or entry.group:match("^Library") then
        assert.is_true(covered[entry.name], entry.name .. " has no test")
      end
    end
  end)
end)
