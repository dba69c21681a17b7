-- hostile: a table that grows until memory ends
-- expect: error not enough memory
return calculator {
  api = 1,
  name = "table_bomb",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local t = {}
    for i = 1, 1e9 do t[i] = { i } end
    return { breaches = #t }
  end,
}
