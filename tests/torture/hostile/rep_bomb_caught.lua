-- hostile: runs out of memory, catches the error and goes on as if nothing had happened
-- expect: error not enough memory
return calculator {
  api = 1,
  name = "rep_bomb_caught",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local ok = pcall(string.rep, "x", 1e9)
    return { breaches = ok and 1 or 2 }
  end,
}
