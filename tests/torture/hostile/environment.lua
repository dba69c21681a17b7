-- hostile: reaches for the globals' table
-- expect: error unknown name 'getfenv'
return calculator {
  api = 1,
  name = "environment",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = getfenv(0) and 1 or 0 }
  end,
}
