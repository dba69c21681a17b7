-- hostile: a text of a gigabyte
-- expect: error not enough memory
return calculator {
  api = 1,
  name = "rep_bomb",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = #("x"):rep(1e9) }
  end,
}
