-- impure: keeps its state behind an error that it catches
-- expect: 13 failures holds 1 after a call, 0 before it
local failures = 0

return calculator {
  api = 1,
  name = "error_path",
  about = "keeps its state behind an error that it catches",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local ok = pcall(function()
      failures = failures + 1
      error("on purpose")
    end)
    return { x = ok and 0 or w.n }
  end,
}
