-- impure: the hour's share that has gone when funding was paid, of an hour that is not whole
-- expect: 10 output x depends on the date
return calculator {
  api = 1,
  name = "funding_date",
  about = "the hour's share that has gone when funding was paid, of an hour that is not whole",
  needs = { candles = { span = "1h" }, funding = { span = "30d" } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.funding.time:final() % 3601 / 3601 }
  end,
}
