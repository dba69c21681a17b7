-- hostile: raises nil
-- expect: error the script raised nil instead of a message
return calculator {
  api = 1,
  name = "error_nil",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    error(nil)
    return { breaches = 1 }
  end,
}
