-- impure: an iterator over a text that moves on with each call
-- expect: 12 word holds a function after a call, nil before it
local word

return calculator {
  api = 1,
  name = "match_kept",
  about = "an iterator over a text that moves on with each call",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    word = word or ("10 20 30"):gmatch("%d+")
    return { x = w.n + (tonumber(word()) or 0) }
  end,
}
