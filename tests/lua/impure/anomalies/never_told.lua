-- impure: declares details and tells an undeclared one
-- expect: 9 a hit has no member spread
return anomaly {
  api = 1,
  name = "never_told",
  about = "declares details and tells an undeclared one",
  needs = { candles = { span = "2d", min = 2 } },
  details = { volume = "base" },
  detect = function(w)
    return { { bar = w.n, score = 1, severity = "low", spread = 2 } }
  end,
}
