-- hostile: watches the collector at work, by a name that is not in its text
-- expect: error setmetatable: weak tables depend on the collector
return calculator {
  api = 1,
  name = "weak_table",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local t = setmetatable({}, { ["__mo" .. "de"] = "k" })
    return { breaches = #t }
  end,
}
