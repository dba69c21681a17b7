-- hostile: vectors until memory ends
-- expect: error not enough memory
return calculator {
  api = 1,
  name = "vector_bomb",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local sum = vec.new(100000)
    for _ = 1, 1e6 do sum = sum + 1 end
    return { breaches = sum:final() }
  end,
}
