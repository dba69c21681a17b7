-- impure: a table that fills up over the calls
-- expect: 11 it holds more than a quarter of its memory after a call
local pile = {}

return calculator {
  api = 1,
  name = "much_kept",
  about = "a table that fills up over the calls",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    for i = 1, 3e6 do pile[i] = i end
    return { x = w.n + #pile }
  end,
}
