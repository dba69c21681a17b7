-- impure: rules for pairs against USDT
-- expect: 11 output x depends on the symbol's name
return calculator {
  api = 1,
  name = "symbol_quote",
  about = "rules for pairs against USDT",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local fee = w.symbol:find("USDT$") and 0.001 or 0.002
    return { x = w.close:final() * (1 - fee) }
  end,
}
