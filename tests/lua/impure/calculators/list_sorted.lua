-- impure: sorts a list that it keeps
-- expect: 12 levels[1] holds 1 after a call, 3 before it
local levels = { 3, 1, 2 }

return calculator {
  api = 1,
  name = "list_sorted",
  about = "sorts a list that it keeps",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    table.sort(levels)
    return { x = w.close:final() / levels[1] }
  end,
}
