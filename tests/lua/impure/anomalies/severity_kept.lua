-- impure: severity remembers the worst score so far
-- expect: 13 worst holds
local worst = 0

return anomaly {
  api = 1,
  name = "severity_kept",
  about = "severity remembers the worst score so far",
  needs = { candles = { span = "2d", min = 2 } },
  detect = function(w) return { score = w.close, threshold = 1 } end,
  severity = function(score)
    local before = worst
    if score > worst then worst = score end
    return score > before and "critical" or "low"
  end,
}
