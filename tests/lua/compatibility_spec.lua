--- What is shipped keeps working: every script and example runs under api 1 and gives the numbers of its golden file.
local cjson = require "cjson"
local lfs = require "lfs"
local petrosa = require "petrosa"
local support = require "tests.lua.scripts.support"

local FOLDERS = { "calculators", "regimes", "anomalies", "alerts", "examples" }
local EXAMPLES = { "anchored_vwap", "breakout_alert", "funding_basis", "har_rv", "ichimoku", "keltner", "pairs_spread", "supertrend", "volume_profile", "vpin" }

local function names(folder)
  local out, path = {}, support.root .. "/scripts/" .. folder
  if lfs.attributes(path, "mode") ~= "directory" then return out end
  for entry in lfs.dir(path) do out[#out + 1] = entry:match("^(.*)%.lua$") end
  table.sort(out)
  return out
end

local function there(path)
  return lfs.attributes(support.root .. "/" .. path, "mode") == "file"
end

describe("api 1", function()
  it("has the examples of the guide", function()
    assert.same(EXAMPLES, names("examples"))
  end)

  for _, folder in ipairs(FOLDERS) do
    for _, name in ipairs(names(folder)) do
      describe(folder .. "/" .. name, function()
        local script, why = petrosa.load(support.root .. "/scripts/" .. folder .. "/" .. name .. ".lua")

        it("loads, under the name of its file", function()
          assert.is_truthy(script, why)
          assert.equal(1, script:declaration().api)
          assert.equal(name, script:declaration().name)
        end)

        it("has golden numbers and a spec that holds them against it", function()
          assert.is_true(there(support.golden(name)), "no " .. support.golden(name))
          local spec = "tests/lua/" .. (folder == "examples" and "examples/" or "scripts/") .. name .. "_spec.lua"
          assert.is_true(there(spec), "no " .. spec)
          assert.is_truthy(support.read(spec):find(name .. '"', 1, true), spec .. " does not load it")
        end)
      end)
    end
  end

  for _, name in ipairs(names("examples")) do
    describe("the example " .. name, function()
      local readme = support.read("scripts/README.md")
      local cases = support.cases(name)

      it("has golden numbers that reach every output and every status that it knows", function()
        local given, statuses, most = {}, {}, 0
        for _, case in ipairs(cases) do
          statuses[case.expect.status] = true
          if case.series == "gaps" then most = math.max(most, case.expect.expected) end
          for field, value in pairs(case.expect.data ~= cjson.null and case.expect.data or {}) do
            given[field] = given[field] or value ~= cjson.null
          end
        end
        for _, output in ipairs(support.calculator(name):declaration().outputs) do
          assert.is_true(given[output.name], output.name .. " has no golden number")
        end
        assert.is_true(statuses.ok)
        if most > 1 then assert.is_true(statuses.gap) end -- a window of one bar has no hole
        local needs = support.calculator(name):declaration().needs
        if needs.candles and needs.candles.min > 1 then assert.is_true(statuses.warming) end
      end)

      it("has a spec with the gap, missing, short and purity cases", function()
        local spec = support.read("tests/lua/examples/" .. name .. "_spec.lua")
        for _, needed in ipairs { "holds_for_every_calculator%(\"" .. name .. "\"", "hole", "missing", "warming" } do
          assert.is_truthy(spec:find(needed), "the spec does not mention " .. needed)
        end
      end)

      it("is in the author's guide with its parameters", function()
        local row = readme:match("\n| `examples/" .. name .. "%.lua` |([^\n]*)")
        assert.is_truthy(row, "scripts/README.md has no row for it")
        for _, param in ipairs(support.calculator(name):declaration().params) do
          assert.is_truthy(row:find("`" .. param.name .. "`", 1, true), param.name)
        end
      end)

      it("says only reasons that the guide explains", function()
        for _, case in ipairs(cases) do
          for _, reason in pairs(case.expect.reasons ~= cjson.null and case.expect.reasons or {}) do
            assert.is_truthy(readme:find("`" .. reason .. "`", 1, true), reason)
          end
        end
      end)

      it("names the source of its formula", function()
        local text = support.read("scripts/examples/" .. name .. ".lua")
        assert.is_truthy(text:match("%-%- Source: .-%d%d%d%d"), "no Source: with a year")
        assert.is_truthy(text:find("%-%- Teaches: "), "it does not say what it teaches")
      end)
    end)
  end
end)

describe("another api", function()
  it("is refused in one line that says what to do", function()
    for _, api in ipairs { "2", "0", '"1"', "1.5" } do
      local script, why = petrosa.load('return calculator {\n  api = ' .. api .. ',\n  name = "x",\n}', "x.lua")
      assert.is_nil(script)
      assert.is_nil(why:find("\n"))
      assert.is_truthy(why:find("x.lua:2: api: api = " .. api:gsub('"', '"') .. " is not known here (known: 1)", 1, true), why)
      assert.is_truthy(why:find("port it to api = 1", 1, true), why)
    end
    local _, why = petrosa.load('return calculator {\n  name = "x",\n}', "x.lua")
    assert.is_truthy(why:find("api: is missing: write api = 1", 1, true), why)
  end)
end)
