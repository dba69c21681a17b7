-- impure: calls a library's function that counts
-- expect: tally.lua:7 calls holds 1 after a call, 0 before it
local tally = require "tally"

return calculator {
  api = 1,
  name = "library_counter",
  about = "calls a library's function that counts",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = tally.next() + w.n }
  end,
}
