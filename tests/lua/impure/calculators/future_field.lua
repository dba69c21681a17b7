-- impure: asks the window for what comes
-- expect: 10 window has no field or method 'future'
return calculator {
  api = 1,
  name = "future_field",
  about = "asks the window for what comes",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.future:mean() }
  end,
}
