-- impure: the market's moment as a number
-- expect: 10 output x depends on the date
return calculator {
  api = 1,
  name = "market_date",
  about = "the market's moment as a number",
  needs = { market = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(m)
    return { x = m.n + m.as_of * 1e-9 }
  end,
}
