-- impure: keeps which symbols it has seen
-- expect: 15 seen.
local seen = {}

return calculator {
  api = 1,
  name = "market_kept",
  about = "keeps which symbols it has seen",
  needs = { market = { span = "2d", min = 2 } },
  outputs = { { "new", count {} } },
  compute = function(m)
    local new = 0
    for _, symbol in ipairs(m.symbols) do
      if not seen[symbol] then new = new + 1 end
      seen[symbol] = true
    end
    return { new = new }
  end,
}
