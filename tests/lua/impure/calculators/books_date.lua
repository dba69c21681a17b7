-- impure: the hour's share that has gone, of an hour that is not whole
-- expect: 10 output x depends on the date
return calculator {
  api = 1,
  name = "books_date",
  about = "the hour's share that has gone, of an hour that is not whole",
  needs = { books = { span = "10m" } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.books.time:final() % 3601 / 3601 }
  end,
}
