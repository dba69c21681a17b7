-- hostile: changes the types that all values share
-- expect: ok
return calculator {
  api = 1,
  name = "metatables",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    local breaches = 0
    local function try(f, ...) if pcall(f, ...) then breaches = breaches + 1 end end
    try(function() getmetatable("").__index = {} end)
    try(function() getmetatable("").__index.rep = error end)
    try(function() getmetatable(w.close).__index = {} end)
    try(function() getmetatable(w).__index = {} end)
    try(function() getmetatable(string).__index = {} end)
    try(function() getmetatable(1LL).__index = {} end)
    try(setmetatable, "", {})
    try(setmetatable, w.close, {})
    try(setmetatable, string, {})
    try(setmetatable, null("x"), {})
    try(function() null("x").reason = 5 end)
    try(function() w.close.get = nil end)
    try(function() w.n = 1 end)
    try(function() string.rep = nil end)
    try(function() math.huge = 1 end)
    try(function() table[1] = 1 end)
    try(table.insert, string, 1)
    try(table.insert, math, "x", 1)
    try(rawget, string, "rep")
    if ("x"):rep(2) ~= "xx" then breaches = breaches + 1 end
    return { breaches = breaches }
  end,
}
