-- hostile: catches whatever could stop it, for ever
-- expect: killed
return calculator {
  api = 1,
  name = "pcall_loop",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    while true do pcall(error, "x") end
    return { breaches = 1 }
  end,
}
