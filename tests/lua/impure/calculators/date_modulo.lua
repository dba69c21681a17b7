-- impure: every 1000th second counts
-- expect: 11 output x depends on the date
return calculator {
  api = 1,
  name = "date_modulo",
  about = "every 1000th second counts",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local share = w.as_of % 86413 / 86413
    return { x = share }
  end,
}
