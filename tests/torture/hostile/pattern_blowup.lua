-- hostile: a pattern that takes exponential time, inside C
-- expect: killed
return calculator {
  api = 1,
  name = "pattern_blowup",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local found = string.find(("a"):rep(40), ("a-"):rep(40) .. "b")
    return { breaches = found and 1 or 2 }
  end,
}
