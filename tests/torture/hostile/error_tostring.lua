-- hostile: raises a value whose words never end
-- expect: error the script raised a table instead of a message
return calculator {
  api = 1,
  name = "error_tostring",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    error(setmetatable({}, { __tostring = function() while true do end end }))
    return { breaches = 1 }
  end,
}
