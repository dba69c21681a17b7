-- impure: counts in the function that sizes the window
-- expect: 5 sized holds
local sized = 0
local function bars()
  sized = sized + 1
  return 48
end

return calculator {
  api = 1,
  name = "rows_counter",
  about = "counts in the function that sizes the window",
  needs = { candles = { span = "2d", bars = bars, min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.n }
  end,
}
