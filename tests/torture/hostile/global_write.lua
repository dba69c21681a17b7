-- hostile: keeps a value in a global
-- expect: error assignment to global 'counter': use local
return calculator {
  api = 1,
  name = "global_write",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    counter = 1
    return { breaches = counter }
  end,
}
