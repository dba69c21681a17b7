-- hostile: depends on the order in which a table keeps its keys
-- expect: ok
return calculator {
  api = 1,
  name = "order_of_keys",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local t, before = {}, ""
    for i = 1, 100 do t["key" .. (i * 7919) % 1000] = i end
    for k in pairs(t) do
      if k <= before then return { breaches = 1 } end
      before = k
    end
    local ok = pcall(pairs, { [{}] = 1 })
    return { breaches = ok and 1 or 0 }
  end,
}
