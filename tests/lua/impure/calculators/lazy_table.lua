-- impure: makes its table of constants in the first call
-- expect: 15 ready holds true after a call, false before it
local ready = false
local constants = {}

return calculator {
  api = 1,
  name = "lazy_table",
  about = "makes its table of constants in the first call",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    if not ready then
      for i = 1, 3 do constants[i] = i / 6 end
      ready = true
    end
    return { x = w.close:final() * constants[1] }
  end,
}
