std = "luajit"
max_line_length = 140
exclude_files = { "build", "tests/torture/hostile", "tests/lua/impure" }

-- what bindings/prelude.lua and bindings/declare.lua give to scripts, and nothing else
stds.petrosa = {
  read_globals = {
    "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "select", "setmetatable",
    "tonumber", "tostring", "type", "unpack", "xpcall", "require",
    "bit", "coroutine", "math", "string", "table", "vec", "missing", "null",
    "calculator", "regime", "anomaly", "alert", "int", "number", "bool", "enum", "count", "text", "map", "list",
    "span", "record", "matrix",
  },
}
files["scripts"] = { std = "petrosa" }
files["core/cli/templates"] = { std = "petrosa" }
files["core/cli/templates/*_spec.lua"] = { std = "luajit+busted" }
files["tests/lua"] = { std = "luajit+busted", max_line_length = 190 }
