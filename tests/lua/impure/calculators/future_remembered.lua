-- impure: knows the next closes from later windows it was shown
-- expect: 13 future[
local future = {}

return calculator {
  api = 1,
  name = "future_remembered",
  about = "knows the next closes from later windows it was shown",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    for i = 1, w.n do
      future[w.time:get(i)] = w.close:get(i)
    end
    return { x = future[w.as_of] or w.close:final() }
  end,
}
