-- impure: state written behind a metatable's back
-- expect: 5 store.price holds
local store = {}
local front = setmetatable({}, { __newindex = function(_, key, value)
  store[key] = value
end })

return calculator {
  api = 1,
  name = "newindex_state",
  about = "state written behind a metatable's back",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local before = missing(store.price) and 0 or store.price
    front.price = w.close:final()
    return { x = before }
  end,
}
