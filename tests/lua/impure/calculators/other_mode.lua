-- impure: counts only when a parameter says so
-- expect: 14 calls holds 1 after a call, 0 before it
local calls = 0

return calculator {
  api = 1,
  name = "other_mode",
  about = "counts only when a parameter says so",
  needs = { candles = { span = "2d", min = 2 } },
  params = { mode = enum { "plain", "fine", default = "plain" } },
  outputs = { { "x", "none" } },
  compute = function(w, p)
    if p.mode == "fine" then
      calls = calls + 1
      return { x = w.close:mean() + calls }
    end
    return { x = w.close:mean() }
  end,
}
