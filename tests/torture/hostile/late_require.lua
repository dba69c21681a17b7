-- hostile: loads a file during a call
-- expect: error require belongs at the top of the file
return calculator {
  api = 1,
  name = "late_require",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = require("half")(4) }
  end,
}
