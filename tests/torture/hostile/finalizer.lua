-- hostile: wants to run when it is collected
-- expect: ok
return calculator {
  api = 1,
  name = "finalizer",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local breaches = 0
    setmetatable({}, { __gc = function() breaches = 1 end })
    for _ = 1, 1e5 do local _ = {} end
    return { breaches = breaches }
  end,
}
