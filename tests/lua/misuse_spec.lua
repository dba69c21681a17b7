--- Misuse: every method with arguments it was not made for. It raises or answers, and an answer is its own: no element of a
-- vector is left as the memory was before, where another script's numbers, or bits that are no number at all, may stand.
local petrosa = require "petrosa"

local STAIN = 777.125 -- no method gives this from the elements below

-- The memory of the next call's vectors, full of the stain.
local function stain()
  petrosa.eval("for _ = 1, 124 do vec.new(8192, " .. STAIN .. ") end")
end

local PRELUDE = [[
  local nan, inf, most = 0 / 0, 1 / 0, 2 ^ 31 - 1
  local function vectors()
    local list = {}
    for _, n in ipairs { 0, 1, 2, 3, 7, 40 } do
      local v, holes, flat = vec.new(n), vec.new(n), vec.new(n, 2)
      for i = 1, n do
        v:set(i, 1 + (i * 7) % 5)
        holes:set(i, i % 3 == 0 and nan or i % 7 == 0 and -inf or i)
      end
      list[#list + 1], list[#list + 2], list[#list + 3] = v, holes, flat
    end
    list[#list + 1] = vec.new(5, nan)
    return list
  end
  local arguments = { nil, nan, inf, -inf, 0, -0.5, 0.5, 1, 2, 3, 39, 40, 41, -1, 1000, most, most + 1, 2 ^ 53, 1e300, "x", "2", true, {}, "1h", "4h" }
  local N = 25
  local tried, answered, stained = 0, 0, {}

  local function look(name, ok, ...)
    tried = tried + 1
    if not ok then return end
    answered = answered + 1
    for k = 1, select("#", ...) do
      local v = select(k, ...)
      if getmetatable(v) == "vector" then
        for i = 1, #v do
          local x = v:get(i)
          if type(x) ~= "number" or x == STAIN then stained[#stained + 1] = name end
        end
      end
    end
  end
]]

local function report(code)
  stain()
  return petrosa.eval("local STAIN = " .. STAIN .. "\n" .. PRELUDE .. code .. "\nreturn tried, answered, table.concat(stained, ' ')")
end

describe("misuse", function()
  local groups = {}
  for _, entry in ipairs(petrosa.reference()) do
    local group = entry.group:match("^Vector") or entry.group:match("^Window: methods")
    if group then
      groups[group] = groups[group] or {}
      table.insert(groups[group], entry.name)
    end
  end

  it("of a vector's methods leaves nothing of other calls in what they give", function()
    assert.is_true(#groups["Vector"] > 50)
    for _, name in ipairs(groups["Vector"]) do
      local tried, answered, stained = report(([[
        local list = vectors()
        for _, v in ipairs(list) do
          for a = 1, N do look("NAME", pcall(v.NAME, v, arguments[a])) end
          for a = 1, N, 3 do
            for b = 1, N, 2 do look("NAME", pcall(v.NAME, v, arguments[a], arguments[b])) end
          end
          for _, u in ipairs(list) do
            look("NAME", pcall(v.NAME, v, u))
            look("NAME", pcall(v.NAME, v, u, u))
            look("NAME", pcall(v.NAME, v, u, 2))
            look("NAME", pcall(v.NAME, v, u, 0.5))
            look("NAME", pcall(v.NAME, v, 2, u))
          end
        end]]):gsub("NAME", name))
      assert.are.equal("", stained)
      assert.is_true(tried > 1000 and answered > 0, name .. " answered " .. answered .. " of " .. tried)
    end
  end)

  it("of operators leaves nothing either", function()
    local _, answered, stained = report([[
      local list = vectors()
      local ops = { function(a, b) return a + b end, function(a, b) return a - b end, function(a, b) return a * b end,
        function(a, b) return a / b end, function(a, b) return a ^ b end, function(a) return -a end, function(a, b) return a == b end }
      for _, v in ipairs(list) do
        for _, op in ipairs(ops) do
          for a = 1, N do
            look("operator", pcall(op, v, arguments[a]))
            look("operator", pcall(op, arguments[a], v))
          end
          for _, u in ipairs(list) do look("operator", pcall(op, v, u)) end
        end
      end]])
    assert.are.equal("", stained)
    assert.is_true(answered > 500)
  end)

  it("of a window's methods leaves nothing, whatever bars there are", function()
    local bars = {
      { close = { 1 } },
      { close = { 1, 2, 3, 2.5 }, open = { 1, 2, 3, 2.5 }, high = { 2, 3, 4, 3 }, low = { 0.5, 1, 2, 2 }, volume = { 1, 0, 2, 3 } },
      { time = { "2025-01-01", "2025-01-01T01:00:00Z", "2025-01-01T09:00:00Z" }, close = { 1, 0 / 0, 2 }, high = { 2, 2, 2 } },
      { start = "1970-01-01", close = { 1, 2, 3, 4, 5 }, high = { 1, 2, 3, 4, 5 }, low = { 1, 2, 3, 4, 5 }, open = { 1, 2, 3, 4, 5 } },
    }
    for _, name in ipairs(groups["Window: methods"]) do
      local script = assert(petrosa.load((PRELUDE:gsub("STAIN", STAIN) .. [[
        return calculator { api = 1, name = "x", about = "x", needs = { candles = { span = "12h", benchmark = true, trades = true } },
          outputs = { tried = "count", answered = "count", stained = text {} }, compute = function(w)
            local windows = { w, w:last(0), w:last(1), w:last(2), w:last(99), w:resample("2h"), w:resample("1d") }
            for _, one in ipairs(windows) do
              for a = 1, N do
                look("NAME", pcall(one.NAME, one, arguments[a]))
                look("NAME", pcall(one.NAME, one, arguments[a], 2))
              end
              for _, v in ipairs(vectors()) do look("NAME", pcall(one.NAME, one, v)) end
            end
            return { tried = tried, answered = answered, stained = table.concat(stained, " ") }
          end }]]):gsub("NAME", name)))
      for _, one in ipairs(bars) do
        stain()
        local r = script:run(one)
        assert.is_nil(r.metadata.error and r.metadata.error.message)
        assert.are.equal("", r.data.stained)
        assert.is_true(r.data.answered > 0, name)
      end
    end
  end)
end)
