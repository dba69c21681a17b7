-- hostile: raises a table
-- expect: error the script raised a table instead of a message
return calculator {
  api = 1,
  name = "error_table",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    error({ code = 1 })
    return { breaches = 1 }
  end,
}
