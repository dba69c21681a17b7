-- hostile: a result of a million numbers
-- expect: error larger than 1 MiB
return calculator {
  api = 1,
  name = "huge_list",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { levels = list { unit = "none" } },
  compute = function()
    return { levels = vec.new(1000000, 1) }
  end,
}
