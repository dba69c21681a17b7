-- impure: a metatable that nothing else holds counts how often its table is called
-- expect: 7 scale's metatable.calls holds 1 after a call, 0 before it
local scale = setmetatable({}, {
  calls = 0,
  __call = function(self, v)
    local meta = getmetatable(self)
    meta.calls = meta.calls + 1
    return v * meta.calls
  end,
})

return calculator {
  api = 1,
  name = "metatable_hidden",
  about = "a table that counts how often it is called",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.n + scale(w.close:final()) }
  end,
}
