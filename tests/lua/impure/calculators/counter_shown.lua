-- impure: gives back how often it was called
-- expect: 12 calls holds 1 after a call, 0 before it
local calls = 0

return calculator {
  api = 1,
  name = "counter_shown",
  about = "gives back how often it was called",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function()
    calls = calls + 1
    return { x = calls }
  end,
}
