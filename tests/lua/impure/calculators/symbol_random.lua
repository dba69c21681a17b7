-- impure: random numbers seeded by the symbol's letters
-- expect: 12 output x depends on the symbol's name
return calculator {
  api = 1,
  name = "symbol_random",
  about = "random numbers seeded by the symbol's letters",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local x = 0
    for i = 1, #w.symbol do x = x + w.symbol:byte(i) * i end
    return { x = x }
  end,
}
