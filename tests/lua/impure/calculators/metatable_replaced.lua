-- impure: another metatable after the first call
-- expect: 13 's metatable holds a table after a call
local label = setmetatable({}, { __tostring = function() return "first" end })

return calculator {
  api = 1,
  name = "metatable_replaced",
  about = "another metatable after the first call",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" }, { "text", text {} } },
  compute = function(w)
    local x = tostring(label)
    setmetatable(label, { __tostring = function() return "second" end })
    return { x = w.n, text = x }
  end,
}
