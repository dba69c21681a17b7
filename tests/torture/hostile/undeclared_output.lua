-- hostile: returns more than was declared
-- expect: error output secret: was not declared
return calculator {
  api = 1,
  name = "undeclared_output",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = 0, secret = 1 }
  end,
}
