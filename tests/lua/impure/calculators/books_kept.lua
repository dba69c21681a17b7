-- impure: compares with the book of its last call
-- expect: 14 last holds
local last

return calculator {
  api = 1,
  name = "books_kept",
  about = "compares with the book of its last call",
  needs = { books = { span = "10m" } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local now = w.books.bid_price:get(1)
    local step = last and now - last or 0
    last = now
    return { x = step }
  end,
}
