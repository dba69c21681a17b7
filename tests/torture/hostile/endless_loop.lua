-- hostile: a compiled loop that never ends
-- expect: killed
return calculator {
  api = 1,
  name = "endless_loop",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local i = 0
    while true do i = i + 1 end
    return { breaches = i }
  end,
}
