-- impure: keeps what it computed by the time of the window
-- expect: 15 memo[
local memo = {}

return calculator {
  api = 1,
  name = "memo_as_of",
  about = "keeps what it computed by the time of the window",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local x = memo[w.as_of]
    if not x then
      x = w.close:mean()
      memo[w.as_of] = x
    end
    return { x = x }
  end,
}
