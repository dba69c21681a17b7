-- impure: is kind to one symbol
-- expect: 8 depends on the symbol's name
return anomaly {
  api = 1,
  name = "symbol_hit",
  about = "is kind to one symbol",
  needs = { candles = { span = "2d", min = 2 } },
  detect = function(w)
    return { score = w.close:ne(0), threshold = w.symbol == "BTCUSDT" and 2 or 0.5 }
  end,
}
