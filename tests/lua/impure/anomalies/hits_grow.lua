-- impure: a list of hits that grows from call to call
-- expect: 12 hits[1] holds
local hits = {}

return anomaly {
  api = 1,
  name = "hits_grow",
  about = "a list of hits that grows from call to call",
  needs = { candles = { span = "2d", min = 2 } },
  params = { threshold = number { default = 1 } },
  detect = function()
    hits[#hits + 1] = { bar = #hits + 1, score = 2 }
    return hits
  end,
}
