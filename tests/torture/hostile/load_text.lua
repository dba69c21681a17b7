-- hostile: runs text made up in the call
-- expect: error unknown name 'load'
return calculator {
  api = 1,
  name = "load_text",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = load("return 1")() }
  end,
}
