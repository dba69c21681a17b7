-- hostile: ends the process
-- expect: error unknown name 'os'
return calculator {
  api = 1,
  name = "os_exit",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    os.exit(0)
    return { breaches = 1 }
  end,
}
