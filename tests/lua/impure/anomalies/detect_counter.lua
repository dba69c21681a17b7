-- impure: counts the windows that it has seen
-- expect: 11 seen holds 1 after a call, 0 before it
local seen = 0

return anomaly {
  api = 1,
  name = "detect_counter",
  about = "counts the windows that it has seen",
  needs = { candles = { span = "2d", min = 2 } },
  detect = function(w)
    seen = seen + 1
    return { score = w.close / seen, threshold = 1 }
  end,
}
