-- hostile: what says how bad a hit is never comes back
-- expect: killed
return anomaly {
  api = 1,
  name = "endless_severity",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  detect = function(w) return { score = w.close, threshold = 0 } end,
  severity = function()
    local n = 0
    while true do n = n + 1 end
  end,
}
