-- hostile: changes the bars that other scripts see
-- expect: error set: a window's column is read-only
return calculator {
  api = 1,
  name = "column_write",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    w.close:set(1, 0)
    return { breaches = 1 }
  end,
}
