-- impure: a list that gets longer
-- expect: 12 closes[1] holds
local closes = {}

return calculator {
  api = 1,
  name = "list_grows",
  about = "a list that gets longer",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    table.insert(closes, w.close:final())
    return { x = #closes }
  end,
}
