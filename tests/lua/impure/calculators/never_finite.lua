-- impure: an output that is always NaN
-- expect: 10 output y is NaN or infinite on all of
return calculator {
  api = 1,
  name = "never_finite",
  about = "an output that is always NaN",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = {
    { "x", "none" },
    { "y", "none" },
  },
  compute = function(w)
    return { x = w.n, y = 0 / 0 }
  end,
}
