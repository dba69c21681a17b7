--- README.md holds a table of all metrics, made of what the scripts declare.
-- PETROSA_WRITE=1 busted tests/lua/metrics_spec.lua writes it anew.
local lfs = require "lfs"
local petrosa = require "petrosa"

local ROOT = os.getenv("PETROSA_SOURCE") or "."
local PATH = ROOT .. "/README.md"
local BEGIN, END = "<!-- metrics: written by tests/lua/metrics_spec.lua -->\n", "<!-- end of metrics -->\n"
local FOLDERS = { "calculators", "regimes", "anomalies" }

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

-- { place, declaration } of every script, by folder and name.
local function declarations()
  local out = {}
  for _, folder in ipairs(FOLDERS) do
    local names = {}
    for entry in lfs.dir(ROOT .. "/scripts/" .. folder) do names[#names + 1] = entry:match("^(.+)%.lua$") end
    table.sort(names)
    for _, name in ipairs(names) do
      local place = "scripts/" .. folder .. "/" .. name .. ".lua"
      out[#out + 1] = { place = place, declaration = assert(petrosa.load(ROOT .. "/" .. place)):declaration() }
    end
  end
  return out
end

-- The unit, "word" of a text, "" of a map whose fields have their own.
local function unit_of(output)
  if output.type == "text" then return output.words and "word" or "text" end
  return output.unit or ""
end

-- How an output is shaped: name; name[24] of a map with 24 keys, name[] of one whose keys are not fixed, of a list, and
-- name[][] of a matrix; {mean bp, n count} of fields.
local function shape_of(output)
  local text = output.name
  local fixed = type(output.keys) == "table" and #output.keys or ""
  if output.type == "map" or output.keys then text = text .. "[" .. fixed .. "]" end
  if output.type == "list" then text = text .. "[]" end
  if output.type == "matrix" then text = text .. "[][]" end
  if output.fields then
    local parts = {}
    for i, field in ipairs(output.fields) do
      local unit = unit_of(field)
      parts[i] = shape_of(field) .. (unit ~= "" and " " .. unit or "")
    end
    text = text .. " {" .. table.concat(parts, ", ") .. "}"
  end
  return text
end

-- "ratio: a, b; quote: c": by unit, in the order in which the units first come.
local function fields_of(declaration)
  local groups, order = {}, {}
  for _, output in ipairs(declaration.outputs) do
    local unit = unit_of(output)
    if not groups[unit] then
      groups[unit] = {}
      order[#order + 1] = unit
    end
    table.insert(groups[unit], shape_of(output))
  end
  for i, unit in ipairs(order) do order[i] = (unit ~= "" and "**" .. unit .. "** " or "") .. table.concat(groups[unit], ", ") end
  return table.concat(order, "; ")
end

local function catalogue()
  local out = { "| category | fields | endpoint |\n|---|---|---|\n" }
  for _, script in ipairs(declarations()) do
    local name, detector = script.declaration.name, script.declaration.kind == "anomaly"
    local fields = detector and script.declaration.about or fields_of(script.declaration) -- all detectors give the same
    out[#out + 1] = ("| [%s](%s) | %s | `%s%s` |\n"):format(name, script.place, fields,
      detector and "POST /anomalies/detect?method=" or "/analysis/", name)
  end
  return table.concat(out)
end

describe("the README", function()
  it("holds the table of metrics", function()
    local text = read(PATH)
    local from = select(2, assert(text:find(BEGIN, 1, true)))
    local to = assert(text:find(END, 1, true))
    if os.getenv("PETROSA_WRITE") then
      text = text:sub(1, from) .. catalogue() .. text:sub(to)
      local file = assert(io.open(PATH, "w"))
      file:write(text)
      file:close()
      return
    end
    assert.are.equal(catalogue(), text:sub(from + 1, to - 1))
  end)

  it("names every output of every script there", function()
    local text = catalogue()
    for _, script in ipairs(declarations()) do
      local row = text:match("\n| %[" .. script.declaration.name .. "%]([^\n]*)")
      local outputs = script.declaration.kind ~= "anomaly" and script.declaration.outputs or {}
      assert.is_truthy(row, script.place)
      for _, output in ipairs(outputs) do
        assert.is_truthy(row:find("%f[%w_]" .. output.name .. "%f[^%w_]"), script.place .. ": " .. output.name)
      end
    end
  end)

  it("shows maps, lists and fields by their shape", function()
    local declaration = assert(petrosa.load([[return calculator { api = 1, name = "x", about = "y", needs = { candles = { span = "1d" } },
      outputs = { { "a", "sd" }, { "m", map { keys = "0..2", unit = "quote" } }, { "l", list { unit = "bp" } }, { "b", number { unit = "sd" } },
        { "f", map { keys = { "2", "5" }, fields = { { "z", "sd" }, { "n", count {} } } } }, { "t", text { words = { "u" } } }, { "n", count {} } },
      compute = function() return {} end }]])):declaration()
    assert.equal("**sd** a, b; **quote** m[3]; **bp** l[]; f[2] {z sd, n count}; **word** t; **count** n", fields_of(declaration))
  end)
end)
