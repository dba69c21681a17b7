-- impure: a trend over absolute time
-- expect: 11 output x depends on the date
return calculator {
  api = 1,
  name = "date_trend",
  about = "a trend over absolute time",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return {
      x = w.close:mean() + 1e-9 * w.time:final(),
    }
  end,
}
