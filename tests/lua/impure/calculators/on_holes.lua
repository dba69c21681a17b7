-- impure: keeps something only when bars are missing
-- expect: 13 worst holds
local worst = 0

return calculator {
  api = 1,
  name = "on_holes",
  about = "keeps something only when bars are missing",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    if w.missing > worst then
      worst = w.missing
    end
    return { x = w.close:final() }
  end,
}
