-- impure: takes its list apart
-- expect: 12 weights[3] holds nothing after a call, 0.2 before it
local weights = { 0.5, 0.3, 0.2 }

return calculator {
  api = 1,
  name = "list_removed",
  about = "takes its list apart",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local weight = table.remove(weights)
    return { x = w.close:final() * (weight or 0) }
  end,
}
