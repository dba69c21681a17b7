-- hostile: hits that answer by metamethods
-- expect: error hit 1: bar must be its place in the window
local trap = setmetatable({}, {
  __index = function(_, key) while key do key = key .. key end end,
  __newindex = function() error("written") end,
  __metatable = "vector",
})

return anomaly {
  api = 1,
  name = "forged_hits",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  params = { threshold = number { default = 1 } },
  detect = function() return { trap } end,
}
