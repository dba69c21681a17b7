-- hostile: reads and writes beside a vector
-- expect: ok
return calculator {
  api = 1,
  name = "out_of_bounds",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function()
    local own, breaches = vec.new(4), 0
    local places = { 0, -1, 5, 1.5, 2 ^ 31, 2 ^ 32 + 1, 2 ^ 53, -2 ^ 63, 0 / 0, 1 / 0, -1 / 0, "1", {}, true, 1LL, 5ULL, 1i }
    for _ = 1, 200 do -- often enough to be compiled
      for i = 1, #places do
        if pcall(own.get, own, places[i]) then breaches = breaches + 1 end
        if pcall(own.set, own, places[i], 1) then breaches = breaches + 1 end
      end
      if pcall(own.get, own, nil) or pcall(own.set, own, 1, "x") or pcall(own.set, own, 1, nil) then breaches = breaches + 1 end
      for _, bounds in ipairs { { 0, 1 }, { 1, 5 }, { 6, 6 }, { 3, 1 }, { -1, 2 }, { 1.5, 2 } } do
        if pcall(own.sub, own, bounds[1], bounds[2]) then breaches = breaches + 1 end
      end
    end
    return { breaches = breaches }
  end,
}
