-- impure: an output that was not declared
-- expect: 12 output secret: was not declared
return calculator {
  api = 1,
  name = "undeclared",
  about = "an output that was not declared",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return {
      x = w.n,
      secret = 1,
    }
  end,
}
