-- impure: state two tables down
-- expect: 13 state.by_period.count holds 1 after a call, 0 before it
local state = { by_period = { count = 0 } }

return calculator {
  api = 1,
  name = "nested_table",
  about = "state two tables down",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local by_period = state.by_period
    by_period.count = by_period.count + 1
    return { x = w.n }
  end,
}
