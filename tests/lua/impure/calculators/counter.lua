-- impure: counts its calls in an upvalue
-- expect: 12 calls holds 1 after a call, 0 before it
local calls = 0

return calculator {
  api = 1,
  name = "counter",
  about = "counts its calls in an upvalue",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    calls = calls + 1
    return { x = w.close:final() }
  end,
}
