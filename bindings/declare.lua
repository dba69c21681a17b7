--- declare: what a script says about itself, checked word by word. Trusted; runs in the script's VM.
-- Gives the constructors (calculator, regime, anomaly, alert, int, number, ...) to `names` and turns a declaration into what C keeps:
-- { kind, name, run = function, span_us, bars_us, bars, min, benchmark, trades, books_us, book_breaks, funding_us, marks_us,
-- market, document }. A document is a list { kind = "o", key, value, ... }, an array { kind = "a", ... }, a decimal
-- { kind = "d", x }; whole numbers, texts and booleans stand for themselves.
local native, names = ...
jit.off(true, true) -- each function here runs a few times in a VM's life

local error, getmetatable, ipairs, next, rawget, select, setmetatable, tonumber, tostring, type =
  error, getmetatable, ipairs, next, rawget, select, setmetatable, tonumber, tostring, type
local find, format, gmatch, gsub, match, sub = string.find, string.format, string.gmatch, string.gsub, string.match, string.sub
local concat, sort = table.concat, table.sort
local floor = math.floor

local UNITS = { "quote", "base", "percent", "bp", "ratio", "sd", "bars", "count", "seconds", "none" }
local NAME, NAME_WORDS = "^[a-z][a-z0-9_]*$", "a-z, then a-z, 0-9, _, at most 41 long"
local MAX_AGE = "5s" -- of the newest book, unless a script says so
local MAX_DAYS = 36500
local MAX_ROWS, MAX_OUTPUTS, MAX_PARAMS, MAX_KEYS = 10000000, 512, 64, 4096
-- query parameters of /analysis/NAME, and what stands beside the outputs in a row
local TAKEN_PARAMS = "pair pairs symbol period timeframe limit offset start end as_of sort_by sort_order format list_key"
local TAKEN_OUTPUTS = "timestamp status"
-- of a hit, and what the log of them adds
local HIT_MEMBERS = "bar known time timestamp price score threshold expected observed direction severity reason cuts details id pair "
  .. "timeframe method kind status parameters"
-- of a market script the outputs stand at the top of the reply, beside these
local TAKEN_MARKET = "pairs period metric method window as_of metadata history pagination"

local source = { text = "", file = "?" }

-- ---- errors --------------------------------------------------------------------------------------

-- The line of a key, found in the text: calculator > params > window. The nearest one that is there.
local function line_of(path)
  local text = gsub(source.text, "%-%-[^\n]*", function(comment) return (gsub(comment, ".", " ")) end)
  local at = find(text, "%f[%w_]calculator%s*[{(]") or find(text, "%f[%w_]regime%s*[{(]")
    or find(text, "%f[%w_]anomaly%s*[{(]") or find(text, "%f[%w_]alert%s*[{(]") or 1
  for key in gmatch(path, "[^.]+") do
    local word = gsub(key, "%W", "%%%0")
    local here = find(text, "%f[%w_]" .. word .. "%f[^%w_]%s*=[^=]", at) or find(text, "[\"']" .. word .. "[\"']", at)
    if not here then break end
    at = here
  end
  local _, lines = gsub(sub(text, 1, at - 1), "\n", "")
  return lines + 1
end

local function refuse(path, ...)
  error(format("%s:%d: %s: %s", source.file, line_of(path), path, format(...)), 0)
end

local function show(x)
  if type(x) == "string" then return format("%q", #x > 40 and sub(x, 1, 40) .. "..." or x) end
  if type(x) == "number" or type(x) == "boolean" then return tostring(x) end
  return x == nil and "nothing" or "a " .. type(x)
end

local function is_word(x, most)
  return type(x) == "string" and #x <= (most or 41) and find(x, NAME) ~= nil
end

local function is_whole(x)
  return type(x) == "number" and floor(x) == x and x > -2 ^ 53 and x < 2 ^ 53
end

local function is_finite(x)
  return type(x) == "number" and x - x == 0
end

local function one_of(x, list)
  for i = 1, #list do
    if list[i] == x then return true end
  end
  return false
end

-- Words of a text as a set, made once.
local sets = {}
local function is_taken(x, words)
  local set = sets[words]
  if not set then
    set = {}
    for word in gmatch(words, "%S+") do set[word] = true end
    sets[words] = set
  end
  return set[x] == true
end

-- Keys of a table in order; `fail` names a key that is not allowed.
local function check_keys(t, allowed, fail)
  local unknown
  for k in next, t do
    if not is_taken(k, allowed) then
      unknown = unknown or {}
      unknown[#unknown + 1] = type(k) == "number" and tostring(k) or show(k)
    end
  end
  if unknown then
    sort(unknown)
    fail("unknown field %s (allowed: %s)", unknown[1], (gsub(allowed, " ", ", ")))
  end
end

-- Length of a plain list; nil when it is none.
local function list_length(t)
  if type(t) ~= "table" then return nil end
  local n, most = 0, 0
  for k in next, t do
    if not is_whole(k) or k < 1 then return nil end
    n = n + 1
    if k > most then most = k end
  end
  return n == most and n or nil
end

local function check_unit(unit, fail)
  if not one_of(unit, UNITS) then fail("unit %s is not known (known: %s)", show(unit), concat(UNITS, ", ")) end
end

local function check_about(about, fail)
  if about ~= nil and (type(about) ~= "string" or #about > 400) then fail("about must be a text of at most 400 bytes") end
end

-- Texts that a value may be: a list without repetition.
local function check_words(words, fail)
  local n = list_length(words)
  if not n or n == 0 or n > 200 then fail("words must be a list of 1 to 200 texts") end
  local seen, out = {}, {}
  for i = 1, n do
    local word = rawget(words, i)
    if type(word) ~= "string" or #word == 0 or #word > 60 then fail("word %d must be a text of 1 to 60 bytes, got %s", i, show(word)) end
    if seen[word] then fail("word %s is there twice", show(word)) end
    seen[word], out[i] = true, word
  end
  return out
end

-- ---- constructors --------------------------------------------------------------------------------

local tag = { __metatable = "declaration", __newindex = function() error("a declaration is read-only", 2) end }

-- What a constructor made is kept here: the script holds an empty table that stands for it, and cannot change what was
-- checked. A script that makes them in a call must not fill the heap with them: the keys are weak.
local made_of = setmetatable({}, { __mode = "k" })

local function tagged(x, type_name)
  local made = type(x) == "table" and made_of[x] or nil
  return made and (type_name == nil or made.type == type_name) and made or nil
end

-- What can be written in each constructor and declaration, for the stubs of editors.
local shapes = {}

-- A constructor: checks a copy of what it is given and complains at the line of its caller.
local function constructor(name, allowed, check)
  shapes[#shapes + 1] = { name = name, fields = allowed or "default words about" }
  names[name] = function(given)
    local where = native.where(2)
    local function fail(...) error(where .. name .. ": " .. format(...), 0) end
    if given == nil then given = {} end
    if type(given) ~= "table" or tagged(given) then fail("takes a table, %s { ... }", name) end
    local made = {}
    for k, v in next, given do made[k] = v end
    if allowed then check_keys(made, allowed, fail) end
    check_about(made.about, fail)
    check(made, fail)
    local handle = setmetatable({}, tag)
    made_of[handle] = made
    return handle
  end
end

local function check_range(t, fits, what, fail)
  if t.default == nil then fail("default is missing") end
  for _, key in ipairs { "default", "min", "max" } do
    if t[key] ~= nil and not fits(t[key]) then fail("%s must be a %s, got %s", key, what, show(t[key])) end
  end
  if t.min and t.max and t.min > t.max then fail("min %s is above max %s", show(t.min), show(t.max)) end
  if t.min and t.default < t.min then fail("default %s is below min %s", show(t.default), show(t.min)) end
  if t.max and t.default > t.max then fail("default %s is above max %s", show(t.default), show(t.max)) end
  if t.unit ~= nil then check_unit(t.unit, fail) end
end

constructor("int", "default min max unit about", function(t, fail)
  t.type = "int"
  check_range(t, is_whole, "whole number", fail)
end)

-- A parameter when it has a default, else an output.
constructor("bool", "default about", function(t, fail)
  t.type = "bool"
  if t.default ~= nil and type(t.default) ~= "boolean" then fail("default must be true or false, got %s", show(t.default)) end
end)

-- A length of time: texts such as "30d"; the script sees seconds.
constructor("span", "default min max about", function(t, fail)
  t.type = "span"
  local us = {}
  for _, key in ipairs { "default", "min", "max" } do
    us[key] = type(t[key]) == "string" and native.span(t[key]) or nil
    if not us[key] and (key == "default" or t[key] ~= nil) then
      fail("%s must be a span such as \"30d\" or \"24h\", got %s", key, show(t[key]))
    end
  end
  if us.min and us.max and us.min > us.max then fail("min %s is above max %s", show(t.min), show(t.max)) end
  if us.min and us.default < us.min then fail("default %s is below min %s", show(t.default), show(t.min)) end
  if us.max and us.default > us.max then fail("default %s is above max %s", show(t.default), show(t.max)) end
end)

constructor("enum", nil, function(t, fail)
  t.type = "enum"
  local words = {}
  while t[#words + 1] ~= nil do words[#words + 1] = t[#words + 1] end
  for i = 1, #words do t[i] = nil end
  for k in next, t do
    if type(k) ~= "string" or not is_taken(k, "type default words about") then
      fail("unknown field %s (allowed: the words, default, about)", show(k))
    end
  end
  if t.words == nil then t.words = words elseif #words > 0 then fail("words are given twice") end
  t.words = check_words(t.words, fail)
  if not one_of(t.default, t.words) then fail("default %s is none of its words", show(t.default)) end
end)

-- A parameter when it has a default, else an output.
constructor("number", "default min max unit about stored", function(t, fail)
  t.type = "number"
  if t.default ~= nil then
    if t.stored ~= nil then fail("stored belongs to an output, default to a parameter") end
    return check_range(t, is_finite, "number", fail)
  end
  if t.min ~= nil or t.max ~= nil then fail("a parameter needs a default; an output has no min or max") end
  check_unit(t.unit, fail)
  if t.stored ~= nil and not is_word(t.stored) then fail("stored must be a name (%s)", NAME_WORDS) end
end)

constructor("count", "unit about", function(t, fail)
  t.type = "count"
  t.unit = t.unit == nil and "count" or t.unit
  check_unit(t.unit, fail)
end)

constructor("text", "words about", function(t, fail)
  t.type = "text"
  if t.words ~= nil then t.words = check_words(t.words, fail) end
end)

constructor("list", "unit about", function(t, fail)
  t.type = "list"
  check_unit(t.unit, fail)
end)

local function check_map_keys(keys, fail)
  if type(keys) == "string" then
    local from, to = match(keys, "^(%d+)%.%.(%d+)$")
    from, to = tonumber(from), tonumber(to)
    if not from or from > to or to - from >= MAX_KEYS then
      fail("keys must be a list of texts or a range such as \"0..23\", got %s", show(keys))
    end
    local out = {}
    for i = from, to do out[#out + 1] = format("%d", i) end
    return out
  end
  local n = list_length(keys)
  if not n or n == 0 or n > MAX_KEYS then fail("keys must be a list of 1 to %d texts or a range such as \"0..23\"", MAX_KEYS) end
  local seen, out = {}, {}
  for i = 1, n do
    local key = rawget(keys, i)
    if type(key) ~= "string" or not find(key, "^[%w_-]+$") or #key > 40 then
      fail("key %d must be a text of letters, digits, _ and -, got %s", i, show(key))
    end
    if seen[key] then fail("key %s is there twice", show(key)) end
    seen[key], out[i] = true, key
  end
  return out
end

-- One value of an output: "unit", number { ... }, count { ... }, bool { ... }, text { ... }, record { ... }.
local function check_value(value, fail)
  if type(value) == "string" then
    check_unit(value, fail)
    return { type = "number", unit = value }
  end
  local made = tagged(value)
  if not made then fail("must be a unit or one of number, count, bool, text, record, got %s", show(value)) end
  if made.default ~= nil or not is_taken(made.type, "number count bool text record") then
    fail("must be a unit or one of number, count, bool, text, record")
  end
  return made
end

-- Fields of each value of a map, or of a record: in place of t.fields a list of { name, value }.
local function check_fields(t, fail)
  local n, seen, fields = list_length(t.fields), {}, {}
  if not n or n == 0 or n > 64 then fail("fields must be a list of { name, unit }") end
  for i = 1, n do
    local field = rawget(t.fields, i)
    if list_length(field) ~= 2 or not is_word(rawget(field, 1)) then fail("field %d must be { name, unit }, the name %s", i, NAME_WORDS) end
    local name = rawget(field, 1)
    if seen[name] then fail("field %s is there twice", name) end
    seen[name] = true
    fields[i] = { name = name, value = check_value(rawget(field, 2), function(...) fail("field " .. name .. ": " .. format(...)) end) }
  end
  t.fields = fields
end

constructor("map", "keys unit fields about", function(t, fail)
  t.type = "map"
  t.keys = t.keys == "symbols" and t.keys or check_map_keys(t.keys, fail)
  if (t.unit == nil) == (t.fields == nil) then fail("takes either unit or fields") end
  if t.unit ~= nil then return check_unit(t.unit, fail) end
  check_fields(t, fail)
end)

-- Values under fixed names, each of a kind of its own.
constructor("record", "fields about", function(t, fail)
  t.type = "record"
  check_fields(t, fail)
end)

-- A symmetric matrix over the symbols of a market; in counts its cells are whole numbers.
constructor("matrix", "unit about", function(t, fail)
  t.type = "matrix"
  check_unit(t.unit, fail)
end)

-- ---- documents -----------------------------------------------------------------------------------

local function object(...)
  local out = { kind = "o" }
  local list, n = { ... }, select("#", ...)
  for i = 1, n, 2 do
    if list[i + 1] ~= nil then
      out[#out + 1] = list[i]
      out[#out + 1] = list[i + 1]
    end
  end
  return out
end

local function array(list)
  local out = { kind = "a" }
  for i = 1, #list do out[i] = list[i] end
  return out
end

local function decimal(x)
  return x ~= nil and { kind = "d", x } or nil
end

local function param_document(name, t)
  local number = t.type == "number" and decimal or function(x) return x end
  return object("name", name, "type", t.type, "default", number(t.default), "min", number(t.min), "max", number(t.max),
    "words", t.words and array(t.words), "unit", t.unit, "about", t.about)
end

local value_document
function value_document(name, t)
  local fields
  if t.fields then
    fields = { kind = "a" }
    for i = 1, #t.fields do fields[i] = value_document(t.fields[i].name, t.fields[i].value) end
  end
  return object("name", name, "type", t.type == "count" and "int" or t.type, "unit", t.unit, "about", t.about, "stored", t.stored,
    "words", t.words and array(t.words), "keys", type(t.keys) == "table" and array(t.keys) or t.keys, "fields", fields)
end

-- ---- a declaration -------------------------------------------------------------------------------

-- Outputs, or details of a hit, in order: as listed, or sorted by name.
local function output_list(outputs, path)
  local n = list_length(outputs)
  if n == nil and type(outputs) ~= "table" then refuse(path, "must be a table of %s, got %s", path, show(outputs)) end
  local list = {}
  if n and n > 0 then
    for i = 1, n do
      local entry = rawget(outputs, i)
      if list_length(entry) ~= 2 or type(rawget(entry, 1)) ~= "string" then refuse(path, "entry %d must be { name, unit }", i) end
      list[i] = { name = rawget(entry, 1), value = rawget(entry, 2) }
    end
    return list
  end
  for name, value in next, outputs do
    if type(name) ~= "string" then refuse(path, "either a list of { name, unit } or a table name = unit, not both") end
    list[#list + 1] = { name = name, value = value }
  end
  sort(list, function(a, b) return a.name < b.name end)
  return list
end

-- Also the text outputs with words: { name, words } in order.
local function outputs_document(outputs, market)
  local list, seen, out, texts = output_list(outputs, "outputs"), {}, { kind = "a" }, {}
  if #list == 0 then refuse("outputs", "there are none") end
  if #list > MAX_OUTPUTS then refuse("outputs", "%d of them, at most %d", #list, MAX_OUTPUTS) end
  for i = 1, #list do
    local name, value = list[i].name, list[i].value
    local path = "outputs." .. name
    if not is_word(name) then refuse(path, "name must be %s", NAME_WORDS) end
    if is_taken(name, TAKEN_OUTPUTS) or market and is_taken(name, TAKEN_MARKET) then refuse(path, "this name is taken") end
    if seen[name] then refuse(path, "is there twice") end
    seen[name] = true
    local made = tagged(value, "map") or tagged(value, "list") or tagged(value, "matrix") or check_value(value, function(...)
      refuse(path, "%s", (gsub(format(...), "text, record", "text, record, map, list, matrix")))
    end)
    if not market and (made.type == "matrix" or made.keys == "symbols") then
      local what = made.type == "matrix" and "a matrix" or "keys = \"symbols\""
      refuse(path, "%s needs the symbols of a market: needs = { market = { ... } }", what)
    end
    out[i] = value_document(name, made)
    if made.type == "text" and made.words then texts[#texts + 1] = { name = name, words = made.words } end
  end
  return out, texts, seen
end

local function params_document(params)
  if params == nil then return { kind = "a" }, {} end
  if type(params) ~= "table" then refuse("params", "must be a table of parameters, got %s", show(params)) end
  local list, out, defaults = {}, { kind = "a" }, {}
  for name, t in next, params do
    if type(name) ~= "string" then refuse("params", "must be a table name = int { ... }") end
    list[#list + 1] = name
    if not is_word(name) then refuse("params." .. name, "name must be %s", NAME_WORDS) end
    if is_taken(name, TAKEN_PARAMS) then refuse("params." .. name, "this name is taken by the API") end
    local made = tagged(t)
    if not made or not is_taken(made.type, "int number bool enum span") or made.default == nil then
      refuse("params." .. name, "must be int, number, bool, enum or span { default = ... }")
    end
  end
  if #list > MAX_PARAMS then refuse("params", "%d of them, at most %d", #list, MAX_PARAMS) end
  sort(list)
  for i = 1, #list do
    local t = made_of[rawget(params, list[i])]
    out[i] = param_document(list[i], t)
    defaults[list[i]] = t.type == "span" and native.span(t.default) / 1e6 or t.default
  end
  return out, defaults
end

-- A number of rows, or a function of the parameters (and of the seconds of a bar) that gives one.
local function check_rows(x, path, defaults, fallback)
  if x == nil then return fallback, fallback end
  if type(x) == "function" then
    local given = {}
    for k, v in next, defaults do given[k] = v end
    local value = x(given, 3600)
    if not is_whole(value) or value < 1 or value > MAX_ROWS then
      refuse(path, "gives %s for the defaults, wanted a whole number 1 .. %d", show(value), MAX_ROWS)
    end
    return x, value
  end
  if not is_whole(x) or x < 1 or x > MAX_ROWS then
    refuse(path, "must be a whole number 1 .. %d or a function(p) that gives one, got %s", MAX_ROWS, show(x))
  end
  return x, x
end

local function check_flag(x, path)
  if x ~= nil and type(x) ~= "boolean" then refuse(path, "must be true or false, got %s", show(x)) end
  return x == true
end

local function names_list(list, path, check)
  local n = list_length(list)
  if not n then refuse(path, "must be a list, got %s", show(list)) end
  local seen, out = {}, {}
  for i = 1, n do
    local x = rawget(list, i)
    check(x, i)
    if seen[x] then refuse(path, "%s is there twice", show(x)) end
    seen[x], out[i] = true, x
  end
  return out
end

local function check_span(span, path, example)
  local us = type(span) == "string" and native.span(span) or nil
  if not us then refuse(path, "must be a span such as %s, got %s", example, show(span)) end
  return us
end

-- The order books that are wanted.
local function check_books(books, made)
  if type(books) ~= "table" then refuse("needs.books", "must be a table { span = \"1h\", ... }, got %s", show(books)) end
  check_keys(books, "span max_age breaks", function(...) refuse("needs.books", ...) end)
  local span, age, breaks = rawget(books, "span"), rawget(books, "max_age"), rawget(books, "breaks")
  if age == nil then age = MAX_AGE end
  made.books_us = check_span(span, "needs.books.span", "\"1h\" or \"15m\"")
  check_span(age, "needs.books.max_age", "\"5s\"")
  made.book_breaks = check_flag(breaks, "needs.books.breaks")
  return object("span", span, "max_age", age, "breaks", made.book_breaks)
end

-- Rows that are no bars, in a span before as_of: which bar that is the candles say.
local function check_others(needs, name, made)
  local given = rawget(needs, name)
  if given == nil then return nil end
  local path = "needs." .. name
  if type(given) ~= "table" then refuse(path, "must be a table { span = \"30d\" }, got %s", show(given)) end
  check_keys(given, "span", function(...) refuse(path, ...) end)
  local span = rawget(given, "span")
  made[name .. "_us"] = check_span(span, path .. ".span", "\"30d\" or \"1h\"")
  if rawget(needs, "candles") == nil then refuse(path, "needs candles too: their last bar says when, candles = { span = \"1h\" }") end
  return object("span", span)
end

-- All symbols at once: the same window of each. Its span may be the name of a span parameter.
local function check_market(market, made, params, defaults)
  if type(market) ~= "table" then refuse("needs.market", "must be a table { span = \"30d\", ... }, got %s", show(market)) end
  check_keys(market, "span bars min symbols", function(...) refuse("needs.market", ...) end)
  local span = rawget(market, "span")
  made.market = true
  made.span_us = type(span) == "string" and native.span(span) or nil
  if not made.span_us then
    local param = type(span) == "string" and type(params) == "table" and tagged(rawget(params, span), "span")
    if not param then
      refuse("needs.market.span", "must be a span such as \"30d\", or the name of a span parameter, got %s", show(span))
    end
    made.span_us = native.span(param.default)
  end
  local symbols = rawget(market, "symbols")
  local bars, min
  made.bars, bars = check_rows(rawget(market, "bars"), "needs.market.bars", defaults, 1)
  made.min, min = check_rows(rawget(market, "min"), "needs.market.min", defaults, 1)
  if symbols == nil then symbols = 1 end
  if not is_whole(symbols) or symbols < 1 or symbols > 16384 then
    refuse("needs.market.symbols", "must be a whole number 1 .. 16384, got %s", show(symbols))
  end
  return object("span", span, "bars", bars, "min", min, "symbols", symbols)
end

-- The name of the parameter that says how many days a window has, when it is above 0.
local function check_days(days, path, params)
  if days == nil then return nil end
  local param = type(days) == "string" and type(params) == "table" and tagged(rawget(params, days)) or nil
  if not param or not is_taken(param.type, "int number") then
    refuse(path, "must be the name of an int or number parameter, got %s", show(days))
  end
  if not param.min or param.min < 0 or not param.max or param.max > MAX_DAYS then
    refuse(path, "the parameter %s needs bounds, min at least 0 and max at most %d", days, MAX_DAYS)
  end
  return days
end

-- An anomaly is of a bar of the unit's own period.
local function check_bars_only(needs)
  local candles = rawget(needs, "candles")
  if rawget(needs, "books") ~= nil then refuse("needs.books", "an anomaly is of a bar, and order books have none of their own") end
  if candles == nil then refuse("needs.candles", "an anomaly is of a bar, needs = { candles = { span = \"7d\" } }") end
  if type(candles) == "table" and rawget(candles, "period") ~= nil then
    refuse("needs.candles.period", "an anomaly is of a bar of the period that is asked for: w:resample gives bigger ones")
  end
end

local function check_needs(needs, made, params, defaults)
  if type(needs) ~= "table" then refuse("needs", "must be a table, needs = { candles = { span = \"30d\" } }, got %s", show(needs)) end
  check_keys(needs, "candles books funding marks metrics market", function(...) refuse("needs", ...) end)
  local candles, books = rawget(needs, "candles"), rawget(needs, "books")
  local metrics, market = rawget(needs, "metrics"), rawget(needs, "market")
  local candles_doc, books_doc, metrics_doc
  if market ~= nil then
    if made.kind ~= "calculator" then
      refuse("needs.market", "%s %s is of one symbol and cannot look at the market", made.kind == "regime" and "a" or "an", made.kind)
    end
    for _, key in ipairs { "candles", "books", "funding", "marks", "metrics" } do
      if rawget(needs, key) ~= nil then refuse("needs.market", "stands alone: %s are of one symbol, a market is of all", key) end
    end
    return object("market", check_market(market, made, params, defaults))
  end
  if made.kind == "anomaly" then check_bars_only(needs) end
  if books ~= nil then books_doc = check_books(books, made) end
  if candles ~= nil then
    if type(candles) ~= "table" then refuse("needs.candles", "must be a table { span = \"30d\", ... }, got %s", show(candles)) end
    check_keys(candles, "span days period bars min benchmark trades", function(...) refuse("needs.candles", ...) end)
    local span = rawget(candles, "span")
    made.span_us = check_span(span, "needs.candles.span", "\"90d\" or \"24h\"")
    local period = rawget(candles, "period")
    made.bars_us = type(period) == "string" and native.period(period) or nil
    if period ~= nil and not made.bars_us then
      refuse("needs.candles.period", "%s is no period (known: %s)", show(period), native.periods)
    end
    local bars, min
    made.bars, bars = check_rows(rawget(candles, "bars"), "needs.candles.bars", defaults, 1)
    -- where there are books, bars are what comes with them
    made.min, min = check_rows(rawget(candles, "min"), "needs.candles.min", defaults, books and 0 or 1)
    made.benchmark = check_flag(rawget(candles, "benchmark"), "needs.candles.benchmark")
    made.trades = check_flag(rawget(candles, "trades"), "needs.candles.trades")
    local days = check_days(rawget(candles, "days"), "needs.candles.days", params)
    candles_doc = object("span", span, "days", days, "period", period, "bars", bars, "min", min, "benchmark", made.benchmark,
      "trades", made.trades)
  end
  if metrics ~= nil then
    made.metrics = names_list(metrics, "needs.metrics", function(x, i)
      if not is_word(x) then refuse("needs.metrics", "entry %d must be the name of a script, got %s", i, show(x)) end
    end)
    if #made.metrics == 0 then refuse("needs.metrics", "there are none") end
    metrics_doc = array(made.metrics)
  end
  if made.kind == "regime" and not metrics then
    refuse("needs.metrics", "a regime needs metrics, needs = { metrics = { \"volatility\" } }")
  end
  if not candles and not books and not metrics then refuse("needs", "must name candles, books, metrics or market") end
  return object("candles", candles_doc, "books", books_doc, "funding", check_others(needs, "funding", made),
    "marks", check_others(needs, "marks", made), "metrics", metrics_doc)
end

local function check_text(t, key, fallback, most)
  local x = rawget(t, key)
  if x == nil then x = fallback end
  if type(x) ~= "string" or #x == 0 or #x > most then refuse(key, "must be a text of 1 to %d bytes, got %s", most, show(x)) end
  return x
end

-- The label of a regime is its first text output with words that is no level. The API tells since when it has held.
local function check_label(levels, texts, taken)
  local label
  for i = 1, #texts do
    if not (list_length(levels) and one_of(texts[i].name, levels)) then
      label = texts[i]
      break
    end
  end
  if not label then return nil end
  for _, name in ipairs { "since", "previous_" .. label.name, "stable_" .. label.name } do
    if taken[name] then refuse("outputs." .. name, "this name is taken: the API adds it to the label %s", label.name) end
  end
  return label
end

-- The decision table of a regime (rules.lua); classify is then called with decide(levels) -> label.
local function check_decision(t, made, texts, taken)
  local levels, rules = rawget(t, "levels"), rawget(t, "rules")
  local label = check_label(levels, texts, taken)
  if levels == nil and rules == nil then return label and label.name end
  if levels == nil then refuse("rules", "need levels, the text outputs that they look at: levels = { \"volatility_level\", ... }") end
  if rules == nil then refuse("levels", "need rules: rules = { { volatility_level = \"high\", gives = \"rough\" }, ... }") end
  if not label then refuse("outputs", "need a text output with words beside the levels: the label that rules give") end
  local tabulate = native.rules({ refuse = refuse, show = show, list_length = list_length, line_of = line_of, object = object,
    array = array }, source)
  local decide, levels_doc, rules_doc = tabulate(levels, rules, label, texts)
  local classify = made.run
  made.run = function(m, p, w) return classify(m, p, w, decide) end
  return label.name, levels_doc, rules_doc
end

-- ---- alerts --------------------------------------------------------------------------------------

local MESSAGE_BYTES = 400

-- What an alert gives, the same for all.
local function alert_outputs()
  return {
    { "fired", names.text { words = { "yes", "no" }, about = "whether it fires at this bar" } },
    { "message", names.text { about = "what it says when it fires" } },
  }
end

-- when(m, p, w) says nothing (quiet), a message (it fires), or null("reason") (it cannot tell); the outputs are made of that.
local function outputs_of_when(when)
  return function(m, p, w)
    local said = when(m, p, w)
    if said == nil then return { fired = "no", message = names.null("quiet") } end
    if type(said) == "userdata" and getmetatable(said) == "null" then return { fired = said, message = said } end
    if type(said) ~= "string" or #said == 0 or #said > MESSAGE_BYTES then
      refuse("when", "must give nil, a message of 1 to %d bytes, or null(\"reason\"), got %s", MESSAGE_BYTES, show(said))
    end
    return { fired = "yes", message = said }
  end
end

-- ---- anomalies -----------------------------------------------------------------------------------

-- What a hit has beside the usual: a record, or nil.
local function details_record(details)
  if details == nil then return nil, nil end
  local list, seen, fields = output_list(details, "details"), {}, {}
  if #list == 0 then refuse("details", "there are none") end
  if #list > 64 then refuse("details", "%d of them, at most 64", #list) end
  for i = 1, #list do
    local name, path = list[i].name, "details." .. list[i].name
    if not is_word(name) then refuse(path, "name must be %s", NAME_WORDS) end
    if seen[name] then refuse(path, "is there twice") end
    if is_taken(name, HIT_MEMBERS) then refuse(path, "this name is taken: every hit has it") end
    seen[name] = true
    local made = tagged(list[i].value, "map") or check_value(list[i].value, function(...)
      refuse(path, "%s", (gsub(format(...), "text, record", "text, record, map")))
    end)
    if made.keys == "symbols" then refuse(path, "keys = \"symbols\" needs the symbols of a market") end
    fields[i] = { name = name, value = made }
  end
  return { type = "record", fields = fields, about = "what this detector tells beside the usual" }, seen
end

-- Outputs and function of a detector (hits.lua), of which kind its hits are.
local function check_detector(t, made)
  local of, severity = rawget(t, "of"), rawget(t, "severity")
  if of == nil then of = "market" end
  if of ~= "market" and of ~= "data_quality" then refuse("of", "must be \"market\" or \"data_quality\", got %s", show(of)) end
  if severity ~= nil and type(severity) ~= "function" then refuse("severity", "must be a function(score, p), got %s", show(severity)) end
  local hits = native.hits { refuse = refuse, show = show, list_length = list_length, is_finite = is_finite, is_whole = is_whole,
    null = names.null }
  local record, details = details_record(rawget(t, "details"))
  local outputs = { kind = "a" }
  for i, output in ipairs(hits.outputs(record)) do outputs[i] = value_document(output.name, output.value) end
  made.severity = severity
  made.run = hits.detector(made.run, severity, details)
  return of, outputs
end

local declared = {} -- what calculator {} gave back -> what C keeps

local function declare(kind, allowed, run)
  shapes[#shapes + 1] = { name = kind, fields = allowed, declares = true }
  names[kind] = function(t)
    if type(t) ~= "table" then error(kind .. ": takes a table, " .. kind .. " { ... }", 2) end
    local api = rawget(t, "api") -- first: another api may have other fields
    if api == nil then refuse("api", "is missing: write api = 1") end
    if api ~= 1 then
      refuse("api", "api = %s is not known here (known: 1); run it with the petrosa it was written for, or port it to api = 1", show(api))
    end
    check_keys(t, allowed, function(...) refuse(kind, ...) end)
    local made = { kind = kind }
    made.name = rawget(t, "name")
    if not is_word(made.name) then refuse("name", "must be %s, got %s", NAME_WORDS, show(made.name)) end
    local about = check_text(t, "about", nil, 400)
    local method = check_text(t, "method", about, 400)
    local version = check_text(t, "method_version", "1", 40)
    local shape = check_text(t, "shape", "data", 10)
    if shape ~= "values" and shape ~= "data" then refuse("shape", "must be \"values\" or \"data\", got %s", show(shape)) end
    local every = rawget(t, "every")
    every = every == nil and {} or names_list(every, "every", function(x)
      if type(x) ~= "string" or not native.period(x) then refuse("every", "%s is no period (known: %s)", show(x), native.periods) end
    end)
    local params, defaults = params_document(rawget(t, "params"))
    local needs = check_needs(rawget(t, "needs"), made, rawget(t, "params"), defaults)
    local outputs, texts, taken
    if kind ~= "anomaly" then
      outputs, texts, taken = outputs_document(kind == "alert" and alert_outputs() or rawget(t, "outputs"), made.market)
    end
    if made.market and shape ~= "data" then refuse("shape", "a market script has the shape \"data\"") end
    made.run = rawget(t, run)
    if type(made.run) ~= "function" then refuse(run, "must be a function, got %s", show(made.run)) end
    if kind == "alert" then made.run = outputs_of_when(made.run) end
    local label, levels, rules, of
    if kind == "anomaly" then of, outputs = check_detector(t, made) end
    if kind == "regime" then label, levels, rules = check_decision(t, made, texts, taken) end
    made.document = object("api", 1, "kind", kind, "name", made.name, "about", about, "method", method, "method_version", version,
      "shape", shape, "of", of, "every", array(every), "needs", needs, "params", params, "outputs", outputs,
      "label", label, "levels", levels, "rules", rules)
    local handle = setmetatable({}, tag)
    declared[handle] = made
    return handle
  end
end

local COMMON = "api name about method method_version shape every needs params outputs "
declare("calculator", COMMON .. "compute", "compute")
declare("regime", COMMON .. "levels rules classify", "classify")
declare("anomaly", "api name about method method_version of every needs params details detect severity", "detect")
declare("alert", "api name about method method_version every needs params when", "when")

local declaration = { shapes = shapes, units = UNITS }

-- Where the text of the next declaration stands, for line numbers.
function declaration.begin(text, file)
  source.text, source.file = text, file
end

-- What a file returned, as C keeps it.
function declaration.take(value)
  local made = declared[value]
  if not made then
    error(format("%s:1: the file must return calculator { ... }, regime { ... }, anomaly { ... } or alert { ... }, it returned %s",
      source.file, show(value)), 0)
  end
  return made
end

return declaration
