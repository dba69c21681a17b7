-- impure: a coroutine that goes on in the next call
-- expect: 3 numbers holds a coroutine that goes on where it stopped
local numbers = coroutine.wrap(function()
  local n = 0
  while true do
    n = n + 1
    coroutine.yield(n)
  end
end)

return calculator {
  api = 1,
  name = "coroutine_kept",
  about = "a coroutine that goes on in the next call",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.close:final() + numbers() }
  end,
}
