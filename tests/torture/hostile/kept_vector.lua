-- hostile: uses a vector of the call before
-- expect: error vector from an earlier call
local kept

return calculator {
  api = 1,
  name = "kept_vector",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    local before = kept
    kept = w.close
    return { breaches = before and before:get(1) or 0 }
  end,
}
