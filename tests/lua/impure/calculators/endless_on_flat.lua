-- impure: a loop that does not end when prices are flat
-- expect: 11 it was still here after
return calculator {
  api = 1,
  name = "endless_on_flat",
  about = "a loop that does not end when prices are flat",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local range, x = w.high:max() - w.low:min(), 0
    while x < 1 do x = x + range end
    return { x = x }
  end,
}
