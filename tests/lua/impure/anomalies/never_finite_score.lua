-- impure: a score that is always NaN
-- expect: 9 the newest bar's score is NaN or infinite on all of
return anomaly {
  api = 1,
  name = "never_finite_score",
  about = "a score that is always NaN",
  needs = { candles = { span = "2d", min = 2 } },
  detect = function(w)
    return { score = w.close / 0, threshold = 1 }
  end,
}
