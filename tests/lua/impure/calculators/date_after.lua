-- impure: another formula since a date
-- expect: 14 output x depends on the date
return calculator {
  api = 1,
  name = "date_after",
  about = "another formula since a date",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local x = w.close:mean()
    if w.as_of > 1704067200 then -- 2024-01-01
      x = w.close:median()
    end
    return { x = x }
  end,
}
