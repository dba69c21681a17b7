-- hostile: a coroutine that is resumed for ever
-- expect: killed
return calculator {
  api = 1,
  name = "endless_coroutine",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local co = coroutine.wrap(function() while true do coroutine.yield(1) end end)
    while true do co() end
    return { breaches = 1 }
  end,
}
