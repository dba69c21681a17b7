-- hostile: never ends loading
-- expect: killed-load
while true do end
return calculator {
  api = 1,
  name = "endless_at_load",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = 1 }
  end,
}
