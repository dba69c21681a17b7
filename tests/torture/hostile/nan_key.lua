-- hostile: an entry under NaN
-- expect: error table index is NaN
return calculator {
  api = 1,
  name = "nan_key",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local t = {}
    t[0 / 0] = 1
    return { breaches = #t }
  end,
}
