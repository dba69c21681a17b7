-- impure: makes a coroutine and resumes it in the next call
-- expect: 17 walk holds a coroutine after a call, nil before it
local walk

local function for_ever()
  for i = 1, 1e9 do coroutine.yield(i) end
end

return calculator {
  api = 1,
  name = "coroutine_made",
  about = "makes a coroutine and resumes it in the next call",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    if not walk then
      walk = coroutine.create(for_ever)
    end
    local _, i = coroutine.resume(walk)
    return { x = w.n + i }
  end,
}
