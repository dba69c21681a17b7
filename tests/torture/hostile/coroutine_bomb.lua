-- hostile: coroutines until memory ends
-- expect: error not enough memory
return calculator {
  api = 1,
  name = "coroutine_bomb",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local t = {}
    for i = 1, 1e9 do
      t[i] = coroutine.create(function() coroutine.yield() end)
      coroutine.resume(t[i])
    end
    return { breaches = #t }
  end,
}
