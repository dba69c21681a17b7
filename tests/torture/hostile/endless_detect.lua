-- hostile: a detector that never comes back
-- expect: killed
return anomaly {
  api = 1,
  name = "endless_detect",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  detect = function()
    local n = 0
    while true do n = n + 1 end
  end,
}
