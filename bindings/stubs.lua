--- stubs: writes what a script can name as types for the Lua language server (LuaCATS), out of the registration
-- tables of the bindings and the constructors of declare.lua.
local reference, declaration, periods = ...

local out = {}
local function put(...) out[#out + 1] = string.format(...) .. "\n" end

-- ---- types ---------------------------------------------------------------------------------------

local TYPES = {
  number = "number", string = "string", boolean = "boolean", any = "any", ["nil"] = "nil", null = "petrosa.null",
  vector = "petrosa.vector", window = "petrosa.window", books = "petrosa.books", funding = "petrosa.funding", marks = "petrosa.marks",
  market = "petrosa.market", matrix = "petrosa.matrix",
}

local function type_of(text, where)
  local list = {}
  for word in text:gmatch("[^|]+") do
    local name, brackets = word:match("^%s*(%a+)(%[?%]?)%s*$")
    if not name or not TYPES[name] then error(where .. ": unknown type '" .. word .. "'", 0) end
    list[#list + 1] = TYPES[name] .. brackets
  end
  return table.concat(list, "|")
end

-- "a, b: vector [, c=1]" -> { { name, type, optional, default } }
local function parameters(text, where)
  local list, optional = {}, false
  for bracket, part in ("," .. text):gmatch("(%[?)%s*,?%s*([^,%[]*)") do
    optional = optional or bracket == "["
    part = part:gsub("%]", ""):match("^%s*(.-)%s*$")
    if part ~= "" then
      local name, rest = part:match("^([%w_]+)(.*)$")
      local default, kind = rest:match("^=([^:%s]+)"), rest:match(":%s*(.+)$")
      if not name or rest ~= "" and not default and not kind then error(where .. ": parameter '" .. part .. "'", 0) end
      list[#list + 1] = { name = name, type = type_of(kind or "number", where), optional = optional, default = default }
    end
  end
  return list
end

-- "x, y: vector" -> { { type, name } }; a word that is no type is the name of a number
local function results(text, where)
  local list = {}
  for part in text:gmatch("[^,]+") do
    local name, kind = part:match("^%s*([%w_]+)%s*:%s*(.+)$")
    part = part:match("^%s*(.-)%s*$")
    if name then
      list[#list + 1] = { type_of(kind, where), name }
    elseif part:find("^[%w_]+$") and not TYPES[part] then
      list[#list + 1] = { "number", part }
    else
      list[#list + 1] = { type_of(part, where) }
    end
  end
  return list
end

-- ---- functions -----------------------------------------------------------------------------------

local function put_function(entry, prefix)
  local given, gives = entry.signature:match("%((.*)%)%s*%->%s*(.+)$")
  if not given then given, gives = entry.signature:match("%((.*)%)$"), "" end
  if not given then error(entry.signature .. ": is no function", 0) end
  local names = {}
  put("\n---%s.", entry.about)
  put("---```lua\n---%s\n---```", entry.example)
  for i, p in ipairs(parameters(given, entry.signature)) do
    names[i] = p.name
    put("---@param %s%s %s%s", p.name, p.optional and "?" or "", p.type, p.default and " default " .. p.default or "")
  end
  for _, r in ipairs(results(gives, entry.signature)) do put("---@return %s%s", r[1], r[2] and " " .. r[2] or "") end
  put("function %s%s(%s) end", prefix, entry.name, table.concat(names, ", "))
end

local function each(owner, is_field, action)
  for _, entry in ipairs(reference) do
    if entry.owner == owner and (not entry.signature:find("(", 1, true)) == is_field then action(entry) end
  end
end

-- ---- declarations --------------------------------------------------------------------------------

local FIELDS = {
  api = "1", name = "string", about = "string", method = "string", method_version = "string", shape = '"data"|"values"',
  every = "petrosa.period[]", needs = "table", params = "table<string, petrosa.declared>", outputs = "table",
  compute = "fun(w: petrosa.window|petrosa.market, p: table<string, any>, m: table<string, any>): table<string, any>",
  classify = "fun(m: table<string, any>, p: table<string, any>, w: petrosa.window, decide: function): table<string, any>",
  when = "fun(m: table<string, any>, p: table<string, any>, w: petrosa.window): string|petrosa.null|nil",
  detect = "fun(w: petrosa.window, p: table<string, any>, m: table<string, any>): petrosa.hits|petrosa.hit[]|petrosa.null",
  severity = "fun(score: number, p: table<string, any>): \"low\"|\"medium\"|\"high\"|\"critical\"",
  of = '"market"|"data_quality"', details = "table",
  min = "number", max = "number", unit = "petrosa.unit", stored = "string", words = "string[]", keys = "string|string[]",
  fields = "table", levels = "string[]", rules = "table<string, string>[]",
}
local DEFAULTS = { int = "integer", number = "number", bool = "boolean", enum = "string", span = "string" }
local BOUNDS = { span = "string" }
local NEEDED = { api = true, name = true, about = true, needs = true, outputs = true, detect = true }

local function put_shape(shape)
  put("\n---@class petrosa.%s", shape.name)
  for field in shape.fields:gmatch("%S+") do
    local kind = field == "default" and DEFAULTS[shape.name] or (field == "min" or field == "max") and BOUNDS[shape.name]
      or FIELDS[field] or "any"
    local needed = shape.declares and NEEDED[field]
    put("---@field %s%s %s", field, needed and "" or "?", kind)
  end
  if shape.name == "enum" then put("---@field [integer] string") end
  put("---@param declaration petrosa.%s", shape.name)
  put("---@return petrosa.declared")
  put("function %s(declaration) end", shape.name)
end

local function alias(name, words)
  local list = {}
  for i, word in ipairs(words) do list[i] = '"' .. word .. '"' end
  put("---@alias %s %s", name, table.concat(list, "|"))
end

-- ---- the file ------------------------------------------------------------------------------------

put("---@meta petrosa")
put("-- What a script of Petrosa can name. Written by the build, out of the tables in which it is registered.")
put("-- Point your editor here: Lua.workspace.library, Lua.runtime.version = LuaJIT.\n")
alias("petrosa.unit", declaration.units)
alias("petrosa.period", periods)
put("---@class petrosa.null\n---@class petrosa.declared")
each("", false, function(entry) put_function(entry, "") end)

put("\n---A column of numbers. NaN and infinity are missing.\n---@class petrosa.vector")
for _, operator in ipairs { "add", "sub", "mul", "div", "pow" } do
  put("---@operator %s(petrosa.vector|number): petrosa.vector", operator)
end
put("---@operator unm: petrosa.vector\n---@operator len: integer\nlocal vector = {}")
each("vector", false, function(entry) put_function(entry, "vector:") end)

-- A class with fields, if it has any, and methods.
local function put_class(name, about)
  put("\n---%s\n---@class petrosa.%s", about, name)
  each(name, true, function(entry)
    local names, kind = entry.signature:match("^(.-):%s*(.+)$")
    for field in names:gmatch("%.([%w_]+)") do put("---@field %s %s %s", field, type_of(kind, entry.signature), entry.about) end
  end)
  if name == "matrix" then put("---@operator len: integer") end
  put("local %s = {}", name)
  each(name, false, function(entry) put_function(entry, name .. ":") end)
end

put_class("books", "The order books of a span, and the newest one with its levels.")
put_class("window", "The closed bars of one symbol and period, oldest first.")
put_class("market", "The closed bars of all symbols on one grid of bar times, oldest first.")
put_class("matrix", "A number for each pair of the symbols of a market. NaN is missing.")
for _, rows in ipairs { { "funding", "time", "rate", "mark_price" },
                        { "marks", "time", "mark_price", "index_price", "settle_price", "funding_rate", "next_funding_time" } } do
  put("\n---@class petrosa.%s\n---@field n integer", rows[1])
  for i = 2, #rows do put("---@field %s petrosa.vector", rows[i]) end
end

put("\n---What a detector says of the bars, one element each; or the same for all of them.\n---@class petrosa.hits")
put("---@field score petrosa.vector how unusual each bar is: above the threshold it is a hit")
put("---@field threshold? number default p.threshold")
for _, name in ipairs { "expected", "observed" } do put("---@field %s? petrosa.vector|number", name) end
put('---@field direction? "up"|"down"|"none" default observed against expected')
put("---@field reason? string a word, default statistical_outlier")
put("---@field cuts? number[] scores above which a hit is medium, high, critical")
put("\n---One bar that a detector found.\n---@class petrosa.hit")
put("---@field bar integer its place in the window\n---@field score number")
put("---@field known? integer the bar at which it became known, default itself")
for _, name in ipairs { "threshold", "expected", "observed" } do put("---@field %s? number", name) end
put('---@field direction? "up"|"down"|"none"\n---@field severity? "low"|"medium"|"high"|"critical"\n---@field reason? string')

put("\nvec = {}")
each("vec", false, function(entry) put_function(entry, "vec.") end)
for _, shape in ipairs(declaration.shapes) do put_shape(shape) end
return table.concat(out)
