local cjson = require "cjson"
local lfs = require "lfs"
local support = require "tests.lua.scripts.support"

--- Names of the Lua files in a folder of the project, without .lua.
local function scripts(folder)
  local names = {}
  for entry in lfs.dir(support.root .. "/" .. folder) do
    local name = entry:match("^(.*)%.lua$")
    if name then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function there(path)
  return lfs.attributes(support.root .. "/" .. path, "mode") == "file"
end

-- Every number that is shipped is proved: a calculator that nobody held against anything does not pass.
describe("the catalogue of scripts", function()
  local readme = support.read("scripts/README.md")

  it("has the calculators of the house", function()
    local names = {}
    for _, name in ipairs(scripts("scripts/calculators")) do names[name] = true end
    for _, name in ipairs { "volatility", "volume", "trend", "deviation", "seasonality", "spread" } do assert.is_true(names[name], name) end
  end)

  it("has the regimes of the house", function()
    assert.same({ "regime" }, scripts("scripts/regimes"))
  end)

  it("has the detectors of the house, of which two are scheduled", function()
    local names, scheduled = {}, {}
    for _, name in ipairs(scripts("scripts/anomalies")) do
      local declaration = support.load(name):declaration()
      names[name] = declaration.of
      if #declaration.every > 0 then scheduled[#scheduled + 1] = name end
    end
    for _, name in ipairs { "zscore", "mad", "moving_avg" } do assert.equal("market", names[name]) end
    assert.equal("data_quality", names.data_quality)
    assert.same({ "data_quality", "mad" }, scheduled)
  end)

  local all = scripts("scripts/calculators")
  for _, folder in ipairs { "regimes", "anomalies" } do
    for _, name in ipairs(scripts("scripts/" .. folder)) do all[#all + 1] = name end
  end

  for _, name in ipairs(all) do
    describe(name, function()
      it("is declared under the name of its file", function()
        assert.equal(name, support.calculator(name):declaration().name)
      end)

      it("has golden numbers that reach every output, as number and in status", function()
        local path = support.golden(name)
        assert.is_true(there(path), "no " .. path)
        local given, statuses = {}, {}
        for _, case in ipairs(support.cases(name)) do
          if case.expect.status ~= "empty" then statuses[case.expect.status] = true end
          if case.expect.data ~= cjson.null then
            for field, value in pairs(case.expect.data) do given[field] = given[field] or value ~= cjson.null end
          end
        end
        for _, output in ipairs(support.calculator(name):declaration().outputs) do
          assert.is_true(given[output.name], output.name .. " has no golden number")
        end
        -- a book is there or not: nothing warms up
        local by_books = support.calculator(name):declaration().needs.books ~= nil
        assert.same({ ok = true, gap = true, warming = not by_books or nil }, statuses)
      end)

      it("has a spec with the gap, missing, short and purity cases", function()
        local path = "tests/lua/scripts/" .. name .. "_spec.lua"
        assert.is_true(there(path), "no " .. path)
        local spec = support.read(path)
        local by_books = support.calculator(name):declaration().needs.books ~= nil
        local cases = by_books and { "support.books%(", "purity", "break", "missing", "one book" }
          or { "holds_for_every_calculator%(\"" .. name .. "\"", "hole", "missing", "warming" }
        for _, needed in ipairs(cases) do
          assert.is_truthy(spec:find(needed), path .. " does not mention " .. needed)
        end
      end)

      it("is in the author's guide with its parameters", function()
        local row = readme:match("\n| `" .. support.place(name) .. "%.lua` |([^\n]*)")
        assert.is_truthy(row, "scripts/README.md has no row for it")
        for _, param in ipairs(support.calculator(name):declaration().params) do
          assert.is_truthy(row:find("`" .. param.name .. "`", 1, true), param.name)
        end
      end)

      it("says only reasons that the guide explains", function()
        for _, case in ipairs(support.cases(name)) do
          local reasons = case.expect.reasons
          if type(reasons) == "string" then reasons = { reasons } end
          for _, reason in pairs(type(reasons) == "table" and reasons or {}) do
            assert.is_truthy(readme:find("`" .. reason .. "`", 1, true), reason)
          end
        end
      end)
    end)
  end

  it("has a spec for each library", function()
    for _, name in ipairs(scripts("scripts/lib")) do
      assert.is_true(there("tests/lua/scripts/" .. name .. "_spec.lua"), name)
    end
  end)

  it("has no golden file that nothing reads", function()
    local used = {}
    for _, folder in ipairs { "scripts/calculators", "scripts/regimes", "scripts/anomalies", "scripts/examples" } do
      for _, name in ipairs(scripts(folder)) do
        for _, case in ipairs(support.cases(name)) do used[case.books and "books/" .. case.books or "series/" .. case.series] = true end
      end
    end
    for _, folder in ipairs { "series", "books" } do
      for entry in lfs.dir(support.root .. "/tests/golden/" .. folder) do
        local name = entry:match("^(.*)%.json$")
        if name then assert.is_true(used[folder .. "/" .. name], name) end
      end
    end
  end)
end)
