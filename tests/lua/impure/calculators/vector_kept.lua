-- impure: keeps a vector for the next call
-- expect: 13 before holds an object after a call, nil before it
local before

return calculator {
  api = 1,
  name = "vector_kept",
  about = "keeps a vector for the next call",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local x = before and #w.close or w.close:mean()
    before = w.close
    return { x = x }
  end,
}
