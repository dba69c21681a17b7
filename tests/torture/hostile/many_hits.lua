-- hostile: more hits than there are bars
-- expect: error hits, the window has
return anomaly {
  api = 1,
  name = "many_hits",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  params = { threshold = number { default = 1 } },
  detect = function()
    local hits, hit = {}, { bar = 1, score = 9 }
    for i = 1, 1000000 do hits[i] = hit end
    return hits
  end,
}
