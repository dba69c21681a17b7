-- impure: keeps something in a market of ten symbols and more only
-- expect: 13 kept holds "x" after a call
local kept = ""

return calculator {
  api = 1,
  name = "tenth_symbol",
  about = "keeps something in a market of ten symbols and more only",
  needs = { market = { span = "2d", min = 2 } },
  outputs = { { "n", "count" } },
  compute = function(m)
    if m.n >= 10 then
      kept = kept .. "x"
    end
    return { n = m.n }
  end,
}
