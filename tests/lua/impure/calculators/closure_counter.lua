-- impure: a counter inside of a function that returns the next number
-- expect: 6 n holds 1 after a call, 0 before it
local function counter()
  local n = 0
  return function()
    n = n + 1
    return n
  end
end

local next_number = counter()

return calculator {
  api = 1,
  name = "closure_counter",
  about = "a counter inside of a function that returns the next number",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.n + next_number() }
  end,
}
