-- impure: constants for symbols that it knows
-- expect: 13 output x depends on the symbol's name
local SCALES = { BTCUSDT = 1000, ETHUSDT = 100 }

return calculator {
  api = 1,
  name = "symbol_scale",
  about = "constants for symbols that it knows",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local scale = SCALES[w.symbol] or 1
    return { x = w.close:final() / scale }
  end,
}
