-- impure: a function made in the first call keeps its bars
-- expect: 14 average holds a function after a call, nil before it
local average

return calculator {
  api = 1,
  name = "closure_kept",
  about = "a function made in the first call keeps its bars",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    if not average then
      local mean = w.close:mean()
      average = function() return mean end
    end
    return { x = average() }
  end,
}
