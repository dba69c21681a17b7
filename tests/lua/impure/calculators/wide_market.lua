-- impure: counts, in a market of five symbols at least
-- expect: 12 calls holds 1 after a call, 0 before it
local calls = 0

return calculator {
  api = 1,
  name = "wide_market",
  about = "counts, in a market of five symbols at least",
  needs = { market = { span = "2d", min = 2, symbols = 5 } },
  outputs = { { "n", "count" } },
  compute = function(m)
    calls = calls + 1
    return { n = m.n }
  end,
}
