-- impure: keeps what it computed by the symbol and period
-- expect: 14 memo["
local memo = {}

return calculator {
  api = 1,
  name = "memo_text",
  about = "keeps what it computed by the symbol and period",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local key = w.symbol .. "/" .. w.period
    if memo[key] == nil then
      memo[key] = w.close:max()
    end
    return { x = memo[key] }
  end,
}
