-- impure: finds more in later years
-- expect: 9 depends on the date
return anomaly {
  api = 1,
  name = "date_hit",
  about = "finds more in later years",
  needs = { candles = { span = "2d", min = 2 } },
  detect = function(w)
    return { score = w.close:ne(0) * w.as_of, threshold = 1e9 }
  end,
}
