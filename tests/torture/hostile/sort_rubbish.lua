-- hostile: sorts by an order that is none
-- expect: contained
return calculator {
  api = 1,
  name = "sort_rubbish",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local t = {}
    for i = 1, 1000 do t[i] = (i * 7919) % 1000 end
    table.sort(t, function() return true end)
    return { breaches = 0 }
  end,
}
