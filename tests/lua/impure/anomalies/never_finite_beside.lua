-- impure: a list of hits with a score that is always infinite
-- expect: 9 the newest bar's score is NaN or infinite on all of
return anomaly {
  api = 1,
  name = "never_finite_beside",
  about = "a list of hits with a score that is always infinite",
  needs = { candles = { span = "2d", min = 2 } },
  detect = function(w)
    return { score = w.close:mean() / 0 }
  end,
}
