-- hostile: a result of a text of 16 MB
-- expect: error larger than 1 MiB
return calculator {
  api = 1,
  name = "huge_text",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { words = text {} },
  compute = function()
    return { words = ("x"):rep(2 ^ 24) }
  end,
}
