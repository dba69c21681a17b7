-- impure: reads the bar after the last
-- expect: 10 get: index 49 is not a whole number in 1 .. 48
return calculator {
  api = 1,
  name = "next_bar",
  about = "reads the bar after the last",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.close:get(w.n + 1) }
  end,
}
