-- impure: looks at the close before through the window of the last call
-- expect: 12 last holds
local last

return anomaly {
  api = 1,
  name = "kept_window",
  about = "looks at the close before through the window of the last call",
  needs = { candles = { span = "2d", min = 2 } },
  detect = function(w)
    local n = last and last.n or 0
    last = w
    return { score = w.close + n, threshold = 1 }
  end,
}
