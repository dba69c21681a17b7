-- hostile: a coroutine that computes on, in the next call, with what it has from this one
-- expect: error vector from an earlier call
local kept

return calculator {
  api = 1,
  name = "kept_coroutine",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    kept = kept or coroutine.wrap(function(v)
      while true do coroutine.yield(v:sum()) end
    end)
    return { breaches = kept(w.close) * 0 }
  end,
}
