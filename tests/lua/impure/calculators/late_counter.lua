-- impure: counts its calls, but only on bars of our days
-- expect: 13 calls holds 1 after a call, 0 before it
local calls = 0

return calculator {
  api = 1,
  name = "late_counter",
  about = "counts its calls, but only on bars of our days",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    if w.as_of > 1700000000 then -- November 2023
      calls = calls + 1
    end
    return { x = w.close:mean() }
  end,
}
