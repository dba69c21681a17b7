-- hostile: a result table that lies through its metatable
-- expect: ok
return calculator {
  api = 1,
  name = "strange_result",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return setmetatable({ breaches = 0 }, { __index = function() error("looked") end, __metatable = "none" })
  end,
}
