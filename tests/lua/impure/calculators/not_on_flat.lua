-- impure: does not think of flat prices
-- expect: 11 output x: number expected, got string
return calculator {
  api = 1,
  name = "not_on_flat",
  about = "does not think of flat prices",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local spread = w.high:max() - w.low:min()
    return { x = spread > 0 and 1 / spread or "none" }
  end,
}
