-- hostile: a result that is no UTF-8
-- expect: error output words: the text is not UTF-8
return calculator {
  api = 1,
  name = "bad_text",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { words = text {} },
  compute = function()
    return { words = "\200\201" }
  end,
}
