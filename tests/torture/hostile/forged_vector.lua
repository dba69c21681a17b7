-- hostile: hands the accessors what is no vector
-- expect: ok
return calculator {
  api = 1,
  name = "forged_vector",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    local v, breaches = w.close, 0
    local forged = {
      setmetatable({}, { __metatable = "vector" }), setmetatable({ p = 1, n = 1000, epoch = 1 }, { __metatable = "vector" }),
      w, {}, string, math, "0123456789abcdef0123456789abcdef", 5, 1LL, 1i, true, coroutine.create(function() end),
      function() end, null("x"),
    }
    for _ = 1, 200 do
      for i = 1, #forged do
        if pcall(v.get, forged[i], 1) or pcall(v.set, forged[i], 1, 1) or pcall(v.final, forged[i]) or pcall(v.mean, forged[i])
          or pcall(v.last, forged[i], 1) or pcall(v.beta, v, forged[i]) or pcall(w.last, forged[i] == w and v or forged[i], 1) then
          breaches = breaches + 1
        end
      end
    end
    return { breaches = breaches }
  end,
}
