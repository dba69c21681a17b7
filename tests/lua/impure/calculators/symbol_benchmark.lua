-- impure: the benchmark's name
-- expect: 11 output x depends on the symbol's name
return calculator {
  api = 1,
  name = "symbol_benchmark",
  about = "the benchmark's name",
  needs = { candles = { span = "2d", min = 2, benchmark = true } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local market = w.benchmark
    return { x = market and market.symbol == "BTCUSDT" and 1 or 0 }
  end,
}
