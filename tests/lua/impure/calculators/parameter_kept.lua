-- impure: remembers the parameters of the last call
-- expect: 14 asked holds
local asked

return calculator {
  api = 1,
  name = "parameter_kept",
  about = "remembers the parameters of the last call",
  needs = { candles = { span = "2d", min = 2 } },
  params = { window = int { default = 5, min = 2, max = 20 } },
  outputs = { { "x", "none" } },
  compute = function(w, p)
    local x = asked and asked.window or p.window
    asked = p
    return { x = w.close:last(x):mean() }
  end,
}
