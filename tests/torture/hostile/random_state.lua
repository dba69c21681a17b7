-- hostile: wants other random numbers each time
-- expect: error math has no 'randomseed'
return calculator {
  api = 1,
  name = "random_state",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    math.randomseed(1)
    return { breaches = 1 }
  end,
}
