-- impure: state in a metatable
-- expect: 13 box's metatable.__index.last holds
local box = setmetatable({}, { __index = { last = 0 } })

return calculator {
  api = 1,
  name = "metatable_state",
  about = "state in a metatable",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local before = box.last
    getmetatable(box).__index.last = w.close:final()
    return { x = before }
  end,
}
