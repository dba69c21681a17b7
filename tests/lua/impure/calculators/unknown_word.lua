-- impure: a word that is not in its list
-- expect: 12 output state: 'sideways' is none of its words
return calculator {
  api = 1,
  name = "unknown_word",
  about = "a word that is not in its list",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "state", text { words = { "up", "down" } } } },
  compute = function(w)
    local up = w.close:final() > w.close:mean()
    return {
      state = up and "up" or "sideways",
    }
  end,
}
