-- impure: declares an output and forgets it
-- expect: 10 output spare is declared and on none of
return calculator {
  api = 1,
  name = "never_given",
  about = "declares an output and forgets it",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = {
    { "x", "none" },
    { "spare", "none" },
  },
  compute = function(w)
    return { x = w.n }
  end,
}
