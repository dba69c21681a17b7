-- hostile: a text that doubles until memory ends
-- expect: error not enough memory
return calculator {
  api = 1,
  name = "concat_bomb",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local s = "x"
    while true do s = s .. s end
    return { breaches = #s }
  end,
}
