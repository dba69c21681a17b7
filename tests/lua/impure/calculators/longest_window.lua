-- impure: looks whether this is the longest window so far
-- expect: 13 longest holds
local longest = 0

return calculator {
  api = 1,
  name = "longest_window",
  about = "looks whether this is the longest window so far",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    if w.n > longest then
      longest = w.n
    end
    return { x = w.n == longest and 1 or 0 }
  end,
}
