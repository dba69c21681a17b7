-- impure: lies only from the hundredth call on
-- expect: 12 seen holds 1 after a call, 0 before it
local seen = 0

return calculator {
  api = 1,
  name = "hundredth",
  about = "lies only from the hundredth call on",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    seen = seen + 1
    return { x = seen < 100 and w.close:mean() or 0 }
  end,
}
