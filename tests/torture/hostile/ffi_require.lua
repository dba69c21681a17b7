-- hostile: asks for the foreign function interface
-- expect: refused require 'ffi': there is no such file in scripts/lib
local ffi = require "ffi"
return calculator {
  api = 1,
  name = "ffi_require",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    return { breaches = ffi and 1 or 0 }
  end,
}
