-- impure: compares with the value of its last call
-- expect: 14 last holds
local last

return calculator {
  api = 1,
  name = "last_value",
  about = "compares with the value of its last call",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local now = w.close:final()
    local step = last and now - last or 0
    last = now
    return { x = step }
  end,
}
