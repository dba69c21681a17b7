-- impure: an upvalue that flips back at every second call
-- expect: 12 odd holds true after a call, false before it
local odd = false

return calculator {
  api = 1,
  name = "toggle",
  about = "an upvalue that flips back at every second call",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    odd = not odd
    return { x = odd and w.close:mean() or w.close:mean() }
  end,
}
