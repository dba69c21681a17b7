-- hostile: a table that says that it is a vector
-- expect: error score must be a vector
return anomaly {
  api = 1,
  name = "false_score",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  params = { threshold = number { default = 1 } },
  detect = function()
    return { score = setmetatable({ get = function() return 9 end }, { __metatable = "vector", __len = function() return 1e9 end }) }
  end,
}
