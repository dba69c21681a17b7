-- hostile: watches the collector at work, by a metatable that would turn weak after setmetatable saw it
-- expect: ok
return calculator {
  api = 1,
  name = "weak_later",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    local meta, name, breaches = {}, "__mo" .. "de", 0
    local seen = setmetatable({}, meta)
    meta[name] = "v"
    getmetatable(seen)[name] = "v"
    for i = 1, 1e5 do
      seen[1] = seen[1] or { i }
      if seen[1][1] == i and i > 1 then breaches = breaches + 1 end
    end
    return { breaches = breaches }
  end,
}
