-- impure: state under a key that has no name
-- expect: 13 slots[an object] holds 1 after a call, 0 before it
local key = {}
local slots = { [key] = 0 }

return calculator {
  api = 1,
  name = "object_key",
  about = "state under a key that has no name",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    slots[key] = slots[key] + 1
    return { x = w.n }
  end,
}
