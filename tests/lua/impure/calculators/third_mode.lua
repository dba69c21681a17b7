-- impure: counts only at the largest value of a parameter
-- expect: 14 calls holds 1 after a call, 0 before it (on "walk", mode=3)
local calls = 0

return calculator {
  api = 1,
  name = "third_mode",
  about = "counts only at the largest value of a parameter",
  needs = { candles = { span = "2d", min = 2 } },
  params = { mode = int { default = 1, min = 1, max = 3 } },
  outputs = { { "x", "none" } },
  compute = function(w, p)
    if p.mode == 3 then
      calls = calls + 1
    end
    return { x = w.close:mean() }
  end,
}
