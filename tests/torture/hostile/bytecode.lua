-- hostile: dumps a function to change its bytecode
-- expect: error string has no 'dump'
return calculator {
  api = 1,
  name = "bytecode",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = #string.dump(function() return 1 end) }
  end,
}
