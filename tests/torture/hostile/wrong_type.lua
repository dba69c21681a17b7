-- hostile: a text where a number was declared
-- expect: error output breaches: number expected, got string
return calculator {
  api = 1,
  name = "wrong_type",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = "1" }
  end,
}
