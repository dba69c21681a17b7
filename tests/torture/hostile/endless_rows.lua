-- hostile: a number of rows that never comes
-- expect: killed-load
return calculator {
  api = 1,
  name = "endless_rows",
  about = "hostile",
  needs = { candles = { span = "1d", bars = function() while true do end end } },
  outputs = { breaches = count {} },
  compute = function() return { breaches = 1 } end,
}
