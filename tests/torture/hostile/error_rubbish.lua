-- hostile: raises a message of bytes that are no text
-- expect: error ??? line two
return calculator {
  api = 1,
  name = "error_rubbish",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    error("\255\0\1\nline two", 0)
    return { breaches = 1 }
  end,
}
