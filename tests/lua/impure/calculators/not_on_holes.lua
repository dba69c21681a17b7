-- impure: takes for granted that no bar is missing
-- expect: 10 index 48 is not a whole number in 1 .. 
return calculator {
  api = 1,
  name = "not_on_holes",
  about = "takes for granted that no bar is missing",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.close:get(w.expected) }
  end,
}
