--- prelude: the part of the sandbox that is written in Lua. Trusted: it alone holds `ffi`.
-- Runs once in each new VM, with the real globals and a table of C functions; gives back what C needs of it.
-- A script never sees a table of this file: libraries are proxies without a way in.
local native = ...
local ffi = native.ffi

-- Most loops of a script are short, and compiling one costs more than running it a few hundred times. A loop over a
-- column still is compiled in its first call.
jit.opt.start("hotloop=300")

local assert, error, getmetatable, ipairs, loadstring, next, pcall, rawget, select, setmetatable, tostring, type, unpack =
  assert, error, getmetatable, ipairs, load, next, pcall, rawget, select, setmetatable, tostring, type, unpack
local find, format, gsub = string.find, string.format, string.gsub
local sort = table.sort
local newproxy, setfenv, cast = newproxy, setfenv, ffi.cast
local funcbc, funck = native.jit_util.funcbc, native.jit_util.funck

ffi.cdef [[
struct pt_lua_vec { double *p; int32_t epoch, n, own; };
struct pt_lua_state { int32_t epoch, computing; };
]]
local vec_ptr = ffi.typeof "struct pt_lua_vec *"
local state = cast("struct pt_lua_state *", native.state)

-- ---- vectors: element access that the compiler turns into a load ---------------------------------

local vec, vec_meta = native.vec_methods, native.vec_meta

local function bad_vector(v, name)
  local got = type(v)
  if got == "userdata" then got = tostring(getmetatable(v)) end
  error(name .. ": vector expected, got " .. got .. " (v:" .. name .. ", with a colon)", 3)
end

local function bad_index(i, n, name)
  if type(i) ~= "number" then error(name .. ": index must be a number, got " .. type(i), 3) end
  error(format("%s: index %.14g is not a whole number in 1 .. %d", name, i, n), 3)
end

local function stale()
  error("vector from an earlier call: nothing can be kept between two calls", 3)
end

function vec.get(v, i)
  if type(v) ~= "userdata" or getmetatable(v) ~= "vector" then bad_vector(v, "get") end
  local s = cast(vec_ptr, v)
  if s.epoch ~= state.epoch then stale() end
  if type(i) ~= "number" or not (i >= 1 and i <= s.n) or i % 1 ~= 0 then bad_index(i, s.n, "get") end
  return s.p[i - 1]
end

function vec.set(v, i, x)
  if type(v) ~= "userdata" or getmetatable(v) ~= "vector" then bad_vector(v, "set") end
  local s = cast(vec_ptr, v)
  if s.epoch ~= state.epoch then stale() end
  if s.own == 0 then error("set: a window's column is read-only (v:copy() is yours)", 2) end
  if type(i) ~= "number" or not (i >= 1 and i <= s.n) or i % 1 ~= 0 then bad_index(i, s.n, "set") end
  if type(x) ~= "number" then error("set: number expected, got " .. type(x), 2) end
  s.p[i - 1] = x
end

function vec.final(v)
  if type(v) ~= "userdata" or getmetatable(v) ~= "vector" then bad_vector(v, "final") end
  local s = cast(vec_ptr, v)
  if s.epoch ~= state.epoch then stale() end
  local n = s.n
  if n == 0 then return 0 / 0 end
  return s.p[n - 1]
end

function vec_meta.__len(v)
  local s = cast(vec_ptr, v)
  if s.epoch ~= state.epoch then stale() end
  return s.n
end

vec_meta.__index = setmetatable(vec, { __index = function(_, name)
  if type(name) == "number" then error("a vector's elements are read by v:get(i)", 2) end
  error("vector has no method '" .. tostring(name) .. "'", 2)
end })
vec_meta.__newindex = function() error("a vector's elements are changed by v:set(i, x)", 2) end
vec_meta.__metatable = "vector"

-- ---- windows and markets: fields are made when they are asked for, then kept for the call -----------

local windows = {} -- window or market -> its fields; anew for each call

local function has_fields(meta, what, methods, field, instead)
  function meta.__index(w, name)
    local fields = windows[w]
    if fields == nil then error(what .. " from an earlier call: nothing can be kept between two calls", 2) end
    local value = fields[name]
    if value ~= nil then return value end
    value = rawget(methods, name)
    if value ~= nil then return value end
    if type(name) ~= "string" then error("a " .. what .. " has no elements: " .. instead, 2) end
    return field(w, name, fields)
  end
  meta.__newindex = function() error("a " .. what .. " is read-only", 2) end
  meta.__metatable = what
end
has_fields(native.window_meta, "window", native.window_methods, native.window_field, "w.close:get(i)")
has_fields(native.market_meta, "market", native.market_methods, native.market_field, "m:column(symbol)")

local matrix, matrix_meta = native.matrix_methods, native.matrix_meta
matrix_meta.__index = setmetatable(matrix, { __index = function(_, name)
  if type(name) == "number" then error("a matrix's cells are read by x:get(i, j)", 2) end
  error("matrix has no method '" .. tostring(name) .. "'", 2)
end })
matrix_meta.__newindex = function() error("a matrix is read-only", 2) end
matrix_meta.__metatable = "matrix"

-- ---- the names of a script ----------------------------------------------------------------------

-- what has no name of its own must not be told apart by its address
local function plain(x)
  local text, kind = tostring(x), type(x)
  if kind == "number" or kind == "string" then return text end
  if (find(text, "^[%w_<>&* ]+: 0x%x+$") or find(text, "^function: ")) then return kind end
  return text
end

local function script_format(fmt, ...)
  if type(fmt) == "string" and find((gsub(fmt, "%%%%", "")), "%%[-+ #0-9.]*p") then
    error("string.format: %p is not there", 2)
  end
  local n, args = select("#", ...), { ... }
  for i = 1, n do
    local t = type(args[i])
    if t == "table" or t == "function" or t == "userdata" or t == "thread" or t == "cdata" then args[i] = plain(args[i]) end
  end
  return format(fmt, unpack(args, 1, n))
end

-- keys in one order: numbers, strings, booleans
local function sorted_keys(t, level)
  local numbers, strings, n, s, no, yes = {}, {}, 0, 0, false, false
  for k in next, t do
    local kind = type(k)
    if kind == "number" then
      n = n + 1
      numbers[n] = k
    elseif kind == "string" then
      s = s + 1
      strings[s] = k
    elseif k == true then
      yes = true
    elseif k == false then
      no = true
    else
      error("pairs: keys of type " .. kind .. " have no order", level + 1)
    end
  end
  sort(numbers)
  sort(strings)
  for i = 1, s do numbers[n + i] = strings[i] end
  n = n + s
  if no then
    n = n + 1
    numbers[n] = false
  end
  if yes then
    n = n + 1
    numbers[n] = true
  end
  return numbers, n
end

local function step(walk)
  local t, keys, n = walk.t, walk.keys, walk.n
  local i = walk.i
  while i < n do
    i = i + 1
    local k = keys[i]
    local v = rawget(t, k)
    if v ~= nil then
      walk.i = i
      return k, v
    end
  end
  walk.i = i
  return nil
end

local function need_table(t, name)
  if type(t) ~= "table" then
    local got = type(t) == "userdata" and tostring(getmetatable(t)) or type(t)
    error(name .. ": table expected, got " .. got, 3)
  end
end

local function sorted_pairs(t)
  need_table(t, "pairs")
  local keys, n = sorted_keys(t, 2)
  return step, { t = t, keys = keys, n = n, i = 0 }, nil
end

local function sorted_next(t, key)
  need_table(t, "next")
  local keys, n = sorted_keys(t, 2)
  local i = 1
  if key ~= nil then
    while i <= n and keys[i] ~= key do i = i + 1 end
    if i > n then error("next: the key is not in the table", 2) end
    i = i + 1
  end
  local k = keys[i]
  if k == nil then return nil end
  return k, rawget(t, k)
end

local made = setmetatable(native.made, { __mode = "k" }) -- the copy of a metatable -> the metatable

-- The metatable that counts is a copy which no script can reach: __mode cannot come into it later, under whatever name. Only
-- __index can, as classes often give it to themselves after their first object.
local function checked_setmetatable(t, meta)
  if type(meta) ~= "table" then return setmetatable(t, meta) end
  if rawget(meta, "__mode") ~= nil then error("setmetatable: weak tables depend on the collector", 2) end
  local copy = {}
  for name, value in next, meta do copy[name] = value end
  copy.__index = copy.__index or function(object, key)
    local index = rawget(meta, "__index")
    if type(index) == "function" then return index(object, key) end
    return index and index[key]
  end
  made[copy] = meta
  return setmetatable(t, copy)
end

local function own_metatable(v)
  local meta = getmetatable(v)
  return made[meta] or meta
end

native.null_meta.__metatable = "null"
native.null_meta.__index = function() error("null(reason) has nothing to look at", 2) end

local function missing(x)
  return x == nil or type(x) == "number" and x - x ~= 0
end

-- a library as scripts see it: its members can be read, nothing more
local function proxy(name, members)
  local p = newproxy(true)
  local meta = getmetatable(p)
  meta.__index = setmetatable(members, { __index = function(_, key)
    error(name .. " has no '" .. tostring(key) .. "'", 2)
  end })
  meta.__newindex = function() error(name .. " is read-only", 2) end
  meta.__metatable = "library " .. name
  meta.__tostring = function() return "library " .. name end
  return p
end

local function copy(library, without)
  local members = {}
  for k, v in next, library do
    if not without[k] then members[k] = v end
  end
  return members
end

local strings = copy(string, { dump = true })
strings.format = script_format
local string_meta = getmetatable("")
string_meta.__index = strings
string_meta.__metatable = "string"

local maths = copy(math, { randomseed = true })
maths.random = native.random

local names = {
  assert = assert, error = error, getmetatable = own_metatable, ipairs = ipairs, next = sorted_next, pairs = sorted_pairs,
  pcall = pcall, rawequal = rawequal, rawget = rawget, select = select, setmetatable = checked_setmetatable,
  tonumber = tonumber, tostring = plain, type = type, unpack = unpack, xpcall = xpcall,
  missing = missing, null = native.null,
  bit = proxy("bit", copy(bit, {})),
  coroutine = proxy("coroutine", copy(coroutine, {})),
  math = proxy("math", maths),
  string = proxy("string", strings),
  table = proxy("table", copy(table, { foreach = true, foreachi = true, getn = true })),
  vec = proxy("vec", native.vec_library),
}

local away = {
  os = "time comes from the window: w.as_of", io = "a script reaches no files", print = "use petrosa eval to look at values",
  debug = "it is not there", ffi = "it is not there", load = "text cannot be run", loadstring = "text cannot be run",
  dofile = "use require", loadfile = "use require", _G = "globals are fixed", collectgarbage = "it is not there",
  rawset = "use t[k] = v", getfenv = "globals are fixed", setfenv = "globals are fixed",
}

local function unknown(_, name)
  local why = away[name]
  error("unknown name '" .. name .. "'" .. (why and ": " .. why or ""), 2)
end
setmetatable(names, { __index = unknown })

local function no_global(_, name)
  error("assignment to global '" .. tostring(name) .. "': use local", 2)
end

-- The compiler's instruction that assigns to a global.
local GSET = funcbc(loadstring "x = 1", 2) % 256

-- Does a chunk, or a function in it, assign to a global? Nothing else can write to its environment: a script has no way to name
-- it as a value.
local function assigns(chunk)
  local pc, k = 1, -1
  local instruction, constant = funcbc(chunk, pc), funck(chunk, k)
  while instruction do
    if instruction % 256 == GSET then return true end
    pc = pc + 1
    instruction = funcbc(chunk, pc)
  end
  while constant ~= nil do
    if type(constant) == "proto" and assigns(constant) then return true end
    k = k - 1
    constant = funck(chunk, k)
  end
  return false
end

-- The function of a text that is compiled and has nothing but our names around it.
-- A chunk that assigns to no global has the names themselves in its environment, where the interpreter finds them at once.
-- The others are refused when they do it, also where the name is one of ours: their environment stays empty.
local function compile(text, file)
  local chunk, fault = loadstring(text, "@" .. file, "t")
  if not chunk then error(fault, 0) end
  local env = {}
  if assigns(chunk) then
    setmetatable(env, { __index = names, __newindex = no_global, __metatable = false })
  else
    for name, value in next, names do env[name] = value end
    setmetatable(env, { __index = unknown, __newindex = no_global, __metatable = false })
  end
  return setfenv(chunk, env)
end

-- ---- chunks --------------------------------------------------------------------------------------

local libs, loading = {}, {}

function names.require(name)
  if state.computing ~= 0 then error("require belongs at the top of the file", 2) end
  if type(name) ~= "string" then error("require: a name is a text", 2) end
  if libs[name] ~= nil then return libs[name] end
  if loading[name] then error("require '" .. name .. "': it requires itself", 2) end
  local text, file = native.lib(name)
  if not text then error("require '" .. name .. "': there is no such file in scripts/lib", 2) end
  local chunk = compile(text, file)
  loading[name] = true
  local value = chunk(name)
  loading[name] = nil
  if value == nil then error(file .. ":1: a library returns what it offers", 0) end
  libs[name] = value
  return value
end

local prelude = { names = names }

-- Runs a script's text and gives back what it returns.
function prelude.run(text, file)
  return compile(text, file)()
end

-- A new call begins: windows of earlier ones are gone.
function prelude.begin()
  windows = {}
  return windows
end

return prelude
