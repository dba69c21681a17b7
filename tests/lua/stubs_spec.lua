--- types/petrosa.lua, which the build writes for editors, knows all that a script can name.
local petrosa = require "petrosa"

local PATH = (os.getenv("PETROSA_BUILD") or "build/release") .. "/types/petrosa.lua"

describe("the types for editors", function()
  local file = assert(io.open(PATH))
  local text = file:read("*a")
  file:close()

  it("are Lua that runs", function()
    assert(pcall(setfenv(assert(loadstring(text, "@" .. PATH)), {})))
    assert.equal(1, text:find("---@meta", 1, true))
  end)

  it("have every function and field of the reference", function()
    local prefixes = { [""] = "", vector = "vector:", window = "window:", books = "books:", market = "market:", matrix = "matrix:", vec = "vec." }
    for _, entry in ipairs(petrosa.reference()) do
      local prefix = assert(prefixes[entry.owner], entry.owner)
      if entry.signature:find("(", 1, true) then
        assert.is_truthy(text:find("\nfunction " .. prefix .. entry.name .. "(", 1, true), entry.signature)
      else
        for name in entry.signature:match("^[^:]+"):gmatch("%.([%w_]+)") do
          assert.is_truthy(text:find("\n---@field " .. name .. " ", 1, true), entry.signature)
        end
      end
    end
  end)

  it("have every constructor, and what can be written in it", function()
    for _, name in ipairs { "calculator", "regime", "anomaly", "alert", "int", "number", "bool", "enum", "count", "text", "map", "list", "record", "matrix" } do
      assert.is_truthy(text:find("\nfunction " .. name .. "(declaration) end", 1, true), name)
    end
    for _, line in ipairs { "---@field compute? fun(w: petrosa.window|petrosa.market,", "---@field unit? petrosa.unit",
                            "---@field detect fun(w: petrosa.window,", "---@field default? integer" } do
      assert.is_truthy(text:find(line, 1, true), line)
    end
  end)

  it("say what each field of a declaration holds", function()
    assert.is_nil(text:match("\n%-%-%-@field [^\n]* any\n"), "a field without a type in bindings/stubs.lua")
  end)

  it("say what comes in and out", function()
    for block in ([[
---@param u petrosa.vector
---@param ddof? number default 1
---@return number
---@return number pairs
function vector:cov(u, ddof) end

---@param low number|nil
---@param high number|nil
---@return petrosa.vector
function vector:clip(low, high) end

---@param least? number default 2
---@return petrosa.matrix
---@return petrosa.matrix overlap
function market:pearson(least) end

---@return petrosa.vector[]
function vector:group(keys, n) end

---@param bins number
---@param low? number
---@param high? number
---@return number
function vector:entropy(bins, low, high) end

]]):gmatch("(.-)\n\n") do
      assert.is_truthy(text:find(block, 1, true), block)
    end
  end)
end)
