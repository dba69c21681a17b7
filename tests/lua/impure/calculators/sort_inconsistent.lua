-- impure: sorts with an order that is none
-- expect: 12 invalid order function for sorting
return calculator {
  api = 1,
  name = "sort_inconsistent",
  about = "sorts with an order that is none",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local list = {}
    for i = 1, w.n do list[i] = w.close:get(i) end
    table.sort(list, function() return true end)
    return { x = list[1] }
  end,
}
