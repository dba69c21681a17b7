-- hostile: watches the collector at work, by a metatable that turns weak after setmetatable saw it
-- expect: refused __mode: weak tables depend on the collector
return calculator {
  api = 1,
  name = "weak_later",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    local meta, breaches = {}, 0
    local seen = setmetatable({}, meta)
    meta.__mode = "v"
    for i = 1, 1e5 do
      seen[1] = seen[1] or { i }
      if seen[1][1] == i and i > 1 then breaches = breaches + 1 end
    end
    return { breaches = breaches }
  end,
}
