-- hostile: an error handler that never returns
-- expect: killed
return calculator {
  api = 1,
  name = "handler_loop",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    xpcall(error, function() while true do end end)
    return { breaches = 1 }
  end,
}
