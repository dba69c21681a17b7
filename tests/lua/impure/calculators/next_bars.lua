-- impure: a part of a column that ends after the last bar
-- expect: 10 bad argument #2 to 'sub' (a whole number in
return calculator {
  api = 1,
  name = "next_bars",
  about = "a part of a column that ends after the last bar",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local ahead = w.close:sub(w.n - 1, w.n + 3)
    return { x = ahead:mean() }
  end,
}
