-- hostile: coroutines within coroutines without end
-- expect: error not enough memory
return calculator {
  api = 1,
  name = "nested_coroutines",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local function dive(n) return coroutine.wrap(function() return 1 + dive(n + 1) end)() end
    return { breaches = dive(1) }
  end,
}
