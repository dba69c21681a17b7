-- hostile: details that hold themselves
-- expect: error nested too deeply
return anomaly {
  api = 1,
  name = "cyclic_details",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  details = { { "ring", record { fields = { { "x", "none" } } } } },
  detect = function(w)
    local ring = {}
    ring.x = ring
    return { score = w.close, threshold = 0.5, ring = ring }
  end,
}
