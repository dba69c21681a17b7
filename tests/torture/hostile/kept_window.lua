-- hostile: uses the window of the call before
-- expect: error window from an earlier call
local kept

return calculator {
  api = 1,
  name = "kept_window",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    local before = kept
    kept = w
    return { breaches = before and before.close:get(1) or 0 }
  end,
}
