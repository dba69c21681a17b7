-- impure: gives one symbol of the market a weight of its own
-- expect: 14 output weight depends on the symbol's name
local WEIGHTS = { BTCUSDT = 10 }

return calculator {
  api = 1,
  name = "market_names",
  about = "gives one symbol of the market a weight of its own",
  needs = { market = { span = "2d", min = 2 } },
  outputs = { { "weight", "ratio" } },
  compute = function(m)
    local weight = 0
    for _, symbol in ipairs(m.symbols) do weight = weight + (WEIGHTS[symbol] or 1) end
    return { weight = weight / m.n }
  end,
}
