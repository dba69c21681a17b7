-- impure: asks for the time of day
-- expect: 10 unknown name 'os'
return calculator {
  api = 1,
  name = "clock",
  about = "asks for the time of day",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.as_of - os.time() }
  end,
}
