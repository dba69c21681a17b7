-- hostile: reads addresses, which differ from run to run
-- expect: ok
return calculator {
  api = 1,
  name = "addresses",
  about = "hostile",
  needs = { candles = { span = "1d" } },
  outputs = { breaches = count {} },
  compute = function(w)
    local breaches = 0
    for _, x in ipairs { {}, function() end, w, w.close, math, math.floor, coroutine.create(function() end), string.rep } do
      if tostring(x):find("0x", 1, true) or string.format("%s", x):find("0x", 1, true) or ("%s"):format(x):find("builtin", 1, true) then
        breaches = breaches + 1
      end
      if pcall(string.format, "%p", x) or pcall(string.format, "%%%p", x) or pcall(string.format, "%10p", x) then breaches = breaches + 1 end
    end
    return { breaches = breaches }
  end,
}
