-- impure: a cache that the collector empties, its name hidden
-- expect: 10 weak tables depend on the collector
return calculator {
  api = 1,
  name = "weak_cache",
  about = "a cache that the collector empties",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local cache = setmetatable({}, { ["__mo" .. "de"] = "k" })
    cache[{}] = w.n
    return { x = w.n }
  end,
}
