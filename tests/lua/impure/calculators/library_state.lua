-- impure: keeps its state in a library's table
-- expect: 13 hidden.last holds
local hidden = require "hidden"

return calculator {
  api = 1,
  name = "library_state",
  about = "keeps its state in a library's table",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local before = hidden.last
    hidden.last = w.close:final()
    return { x = missing(before) and 0 or before }
  end,
}
