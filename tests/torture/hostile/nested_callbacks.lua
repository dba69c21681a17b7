-- hostile: C calls Lua calls C without end, each with a buffer on the C stack
-- expect: error stack overflow
return calculator {
  api = 1,
  name = "nested_callbacks",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local function dive() return (("x"):gsub("x", function() return dive() end)) end
    return { breaches = #dive() }
  end,
}
