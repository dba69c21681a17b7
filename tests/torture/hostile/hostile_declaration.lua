-- hostile: a declaration that answers with code
-- expect: refused needs: must name candles, books, metrics or market
return calculator(setmetatable({
  api = 1,
  name = "hostile_declaration",
  about = "hostile",
  needs = setmetatable({}, { __index = function() while true do end end }),
  outputs = setmetatable({}, { __len = function() return 1e9 end }),
}, { __index = function() while true do end end }))
