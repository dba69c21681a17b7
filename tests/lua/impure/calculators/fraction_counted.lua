-- impure: a count that is no whole number
-- expect: 11 output n: whole number expected, got
return calculator {
  api = 1,
  name = "fraction_counted",
  about = "a count that is no whole number",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "n", count {} } },
  compute = function(w)
    return {
      n = w.close:mean() / 7,
    }
  end,
}
