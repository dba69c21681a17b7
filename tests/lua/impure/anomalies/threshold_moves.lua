-- impure: a threshold that follows the scores of the last call
-- expect: 13 threshold holds
local threshold = 1

return anomaly {
  api = 1,
  name = "threshold_moves",
  about = "a threshold that follows the scores of the last call",
  needs = { candles = { span = "2d", min = 2 } },
  detect = function(w)
    local x = (w.close - w.close:mean()):abs()
    local now = threshold
    threshold = x:max()
    return { score = x, threshold = now }
  end,
}
