-- impure: a table that counts how often it is called
-- expect: 5 scale's metatable.calls holds 1 after a call, 0 before it
local meta = { calls = 0 }
function meta.__call(_, v)
  meta.calls = meta.calls + 1
  return v * meta.calls
end
local scale = setmetatable({}, meta)

return calculator {
  api = 1,
  name = "metatable_call",
  about = "a table that counts how often it is called",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    return { x = w.n + scale(w.close:final()) }
  end,
}
