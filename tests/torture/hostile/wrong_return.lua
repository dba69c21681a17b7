-- hostile: returns no table
-- expect: error compute must return a table of outputs, it returned number
return calculator {
  api = 1,
  name = "wrong_return",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return 5
  end,
}
