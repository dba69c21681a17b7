--- bindings/README.md holds the reference of everything the bindings register, word by word.
-- PETROSA_WRITE=1 busted tests/lua/reference_spec.lua writes it anew.
local petrosa = require "petrosa"

local PATH = (os.getenv("PETROSA_SOURCE") or ".") .. "/bindings/README.md"
local BEGIN, END = "<!-- reference: written by tests/lua/reference_spec.lua -->\n", "<!-- end of reference -->\n"

local function cell(text) return (text:gsub("|", "\\|")) end

local function reference()
  local out, group = {}, nil
  for _, entry in ipairs(petrosa.reference()) do
    if entry.group ~= group then
      group = entry.group
      out[#out + 1] = (#out > 0 and "\n" or "") .. "### " .. group .. "\n| | | this is true |\n|---|---|---|\n"
    end
    out[#out + 1] = "| `" .. cell(entry.signature) .. "` | " .. cell(entry.about) .. " | `" .. cell(entry.example) .. "` |\n"
  end
  return table.concat(out)
end

-- What the examples are about: the table that the README shows above the reference.
local function shown(what)
  local file = assert(io.open(PATH))
  local text = assert(file:read("*a"):match("<!%-%- the " .. what .. " %-%->%s*```lua\n(.-)```"))
  file:close()
  return assert(loadstring("return " .. text))()
end

local SCRIPT = [[
local function example(%s) %s end
return calculator {
  api = 1, name = "example", about = "an example of the reference",
  needs = { %s },
  outputs = { { "true_there", count {} } },
  compute = function(x) return { true_there = example(x) == true and 1 or 0 } end,
}]]

describe("an example of the reference", function()
  local window, market = shown "window w", shown "market m"
  for _, entry in ipairs(petrosa.reference()) do
    local of_market = entry.owner == "market" or entry.owner == "matrix"
    local name = of_market and "m" or "w"
    local needs = of_market and 'market = { span = "5h" }' or
      'candles = { span = "7h", benchmark = true, trades = true }, books = { span = "1h" }, funding = { span = "1d" }, marks = { span = "1h" }'

    it("is true: " .. entry.signature, function()
      local code = entry.example:find("return ", 1, true) and entry.example or "return " .. entry.example
      local script = assert(petrosa.load(SCRIPT:format(name, code, needs), "example.lua"))
      local result = script:run(of_market and market or window)
      assert.equal(1, result.data.true_there, entry.example .. ": " .. (result.metadata.error and result.metadata.error.message or "is false"))
    end)

    it("uses what it is about: " .. entry.signature, function()
      assert.is_truthy(entry.example:find(entry.name, 1, true), entry.example)
    end)
  end
end)

describe("the README of the bindings", function()
  it("holds the reference", function()
    local file = assert(io.open(PATH))
    local text = file:read("*a")
    file:close()
    local from = select(2, assert(text:find(BEGIN, 1, true)))
    local to = assert(text:find(END, 1, true))
    if os.getenv("PETROSA_WRITE") then
      text = text:sub(1, from) .. reference() .. text:sub(to)
      file = assert(io.open(PATH, "w"))
      file:write(text)
      file:close()
      return
    end
    assert.are.equal(reference(), text:sub(from + 1, to - 1))
  end)

  it("says something about each", function()
    for _, entry in ipairs(petrosa.reference()) do
      assert.is_true(#entry.about > 5, entry.name)
      assert.is_truthy(entry.signature:find(entry.name, 1, true), entry.name)
    end
  end)
end)
