-- impure: adds up in the order of objects' addresses
-- expect: 11 pairs: keys of type table have no order
return calculator {
  api = 1,
  name = "object_order",
  about = "adds up in the order of objects' addresses",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local weights, x = { [{}] = 0.1, [{}] = 0.2, [{}] = 0.3 }, 0
    for _, weight in pairs(weights) do
      x = x / 3 + weight
    end
    return { x = x * w.n }
  end,
}
