-- impure: an iterator made when the file loads, which each call moves on
-- expect: 3 word holds an iterator that goes on where it stopped (on "walk")
local word = ("10 20 30 40 50"):gmatch("%d+")

return calculator {
  api = 1,
  name = "iterator_kept",
  about = "an iterator over a text that each call moves on",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.n + (tonumber(word()) or 0) }
  end,
}
