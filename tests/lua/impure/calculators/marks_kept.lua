-- impure: the highest mark price of all calls so far
-- expect: 4 highest holds
local highest = 0
local function remember(x) highest = math.max(highest, x) return highest end

return calculator {
  api = 1,
  name = "marks_kept",
  about = "the highest mark price of all calls so far",
  needs = { candles = { span = "1h" }, marks = { span = "1h" } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.marks.n > 0 and remember(w.marks.mark_price:max()) or null("no_marks") }
  end,
}
