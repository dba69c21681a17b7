-- hostile: asks for a window of a hundred billion bars
-- expect: refused needs.candles.bars: gives 100000000000 for the defaults
return calculator {
  api = 1,
  name = "rows_bomb",
  about = "hostile",
  needs = { candles = { span = "1d", bars = function() return 1e11 end } },
  outputs = { breaches = count {} },
  compute = function() return { breaches = 1 } end,
}
