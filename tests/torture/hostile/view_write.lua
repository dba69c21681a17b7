-- hostile: changes the bars through a part of them
-- expect: error set: a window's column is read-only
return calculator {
  api = 1,
  name = "view_write",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    w.close:last(5):set(1, 0)
    return { breaches = 1 }
  end,
}
