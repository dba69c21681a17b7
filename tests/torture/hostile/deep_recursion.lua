-- hostile: calls itself without end
-- expect: error stack overflow
return calculator {
  api = 1,
  name = "deep_recursion",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local function f(n) return 1 + f(n + 1) end
    return { breaches = f(1) }
  end,
}
