-- impure: the length of the symbol's name
-- expect: 10 output x depends on the symbol's name
return calculator {
  api = 1,
  name = "symbol_length",
  about = "the length of the symbol's name",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = #w.symbol }
  end,
}
