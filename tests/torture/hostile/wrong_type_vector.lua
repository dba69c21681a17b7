-- hostile: a vector where a number was declared
-- expect: error output breaches: number expected, got vector
return calculator {
  api = 1,
  name = "wrong_type_vector",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    return { breaches = w.close }
  end,
}
