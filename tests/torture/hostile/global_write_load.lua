-- hostile: makes a global while loading
-- expect: refused assignment to global 'counter': use local
counter = 1
return calculator {
  api = 1,
  name = "global_write_load",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = 0 }
  end,
}
