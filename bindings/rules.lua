--- rules: the decision table of a regime, checked case by case before anything runs. Trusted; built in, and run only in
-- the VM of a script that has one.
--
-- A level is a text output with a closed set of words; a case is one word of each level. There are few cases (27 of three
-- levels with three words), so all of them are gone through once: the first rule that fits takes the case. What is left
-- over by that walk is what the table's author must know: rules that take nothing, cases that nobody takes, and cases that
-- two rules fit and whose order therefore decides. The answer of each case is kept, and deciding is looking it up.
local tools, source = ...
jit.off(true, true)

local error, getmetatable, next, rawget, select, tostring, type = error, getmetatable, next, rawget, select, tostring, type
local byte, find, format, gsub, match, sub = string.byte, string.find, string.format, string.gsub, string.match, string.sub
local concat, sort = table.concat, table.sort
local refuse, show, list_length, line_of, object, array =
  tools.refuse, tools.show, tools.list_length, tools.line_of, tools.object, tools.array

local MAX_RULES, MAX_CASES, MAX_WORDS = 256, 4096, 420
local UNKNOWN = "unknown" -- what a missing level gives

-- ---- where the rules stand -----------------------------------------------------------------------

-- The text with comments and quoted texts as blanks, so that braces and names in them do not count.
local function blanked(text)
  local out, from = {}, 1
  local function blank(first, last)
    out[#out + 1] = sub(text, from, first - 1)
    out[#out + 1] = gsub(sub(text, first, last), "[^\n]", " ")
    from = last + 1
  end
  local at = find(text, "[-\"'%[]")
  while at do
    local quote, last = match(text, "^[\"']", at), nil
    local bars = match(text, "^%-%-%[(=*)%[", at) or match(text, "^%[(=*)%[", at)
    if bars then
      last = select(2, find(text, "]" .. bars .. "]", at, true)) or #text
    elseif find(text, "^%-%-", at) then
      last = (find(text, "\n", at, true) or #text + 1) - 1
    elseif quote then
      last = at + 1
      while last < #text and sub(text, last, last) ~= quote do
        last = last + (byte(text, last) == 92 and 2 or 1)
      end
    end
    if last then blank(at, last) end
    at = find(text, "[-\"'%[]", (last or at) + 1)
  end
  out[#out + 1] = sub(text, from)
  return concat(out)
end

-- Line of each rule: the tables inside `rules = { ... }`. Where a program made them, the line of the word `rules`.
local function rule_lines(n)
  local text, lines = blanked(source.text), {}
  local _, at = find(text, "%f[%w_]rules%s*=%s*{")
  local depth, line = 1, at and select(2, gsub(sub(text, 1, at), "\n", "")) + 1
  while at and depth > 0 do
    local before = at
    at = find(text, "[{}]", at + 1)
    if not at then break end
    line = line + select(2, gsub(sub(text, before + 1, at), "\n", ""))
    if byte(text, at) == 123 then
      if depth == 1 then lines[#lines + 1] = line end
      depth = depth + 1
    else
      depth = depth - 1
    end
  end
  if #lines ~= n then
    for i = 1, n do lines[i] = line_of("rules") end
  end
  return lines
end

-- ---- levels and rules as they are written --------------------------------------------------------

-- The text outputs that are named, in the order named: { name, words, index = { word = position } }.
local function read_levels(list, texts)
  local n, levels, cases = list_length(list), {}, 1
  if not n or n == 0 then
    refuse("levels", "must be a list of text outputs, levels = { \"volatility_level\", ... }, got %s", show(list))
  end
  for i = 1, n do
    local name, found = rawget(list, i), nil
    for k = 1, #texts do
      if texts[k].name == name then found = texts[k] end
    end
    if not found then refuse("levels", "%s is no text output with words", show(name)) end
    for k = 1, i - 1 do
      if levels[k].name == name then refuse("levels", "%s is there twice", show(name)) end
    end
    local level = { name = name, words = found.words, index = {} }
    for k = 1, #found.words do level.index[found.words[k]] = k end
    levels[i], cases = level, cases * #found.words
  end
  if cases > MAX_CASES then refuse("levels", "their words make %d cases, at most %d", cases, MAX_CASES) end
  return levels
end

local function read_behind(list, i, label)
  if list == nil then return {} end
  local n, names = list_length(list), {}
  if not n then refuse("rules", "rule %d: behind must be a list of labels, got %s", i, show(list)) end
  for k = 1, n do
    local word = rawget(list, k)
    if not label.index[word] then
      refuse("rules", "rule %d: behind names %s, which is none of the words of %s", i, show(word), label.name)
    end
    names[k] = word
  end
  return names
end

-- One rule: { when = { word of each level, or nil }, gives, behind, otherwise }.
local function read_rule(t, i, last, levels, label)
  if type(t) ~= "table" then refuse("rules", "rule %d must be a table { level = \"word\", gives = \"label\" }, got %s", i, show(t)) end
  local rule, conditions = { when = {}, gives = rawget(t, "gives"), otherwise = rawget(t, "otherwise") }, 0
  local left = {}
  for k in next, t do left[k] = true end
  for _, known in next, { "gives", "behind", "otherwise" } do left[known] = nil end
  for k = 1, #levels do
    local level = levels[k]
    local word = rawget(t, level.name)
    if word ~= nil then
      if not level.index[word] then
        refuse("rules", "rule %d: %s = %s is none of %s", i, level.name, show(word), concat(level.words, ", "))
      end
      rule.when[k], conditions, left[level.name] = word, conditions + 1, nil
    end
  end
  local stray = next(left)
  if stray ~= nil then refuse("rules", "rule %d: %s is no level, nor gives, behind or otherwise", i, show(stray)) end
  if not label.index[rule.gives] then
    refuse("rules", "rule %d: gives = %s is none of the words of %s (%s)", i, show(rule.gives), label.name, concat(label.words, ", "))
  end
  if rule.otherwise ~= nil and rule.otherwise ~= true then
    refuse("rules", "rule %d: otherwise must be true, got %s", i, show(rule.otherwise))
  end
  if rule.otherwise and (conditions > 0 or i ~= last or rawget(t, "behind") ~= nil) then
    refuse("rules", "rule %d: otherwise stands alone with gives, in the last rule", i)
  end
  if not rule.otherwise and conditions == 0 then
    refuse("rules", "rule %d names no level: write otherwise = true, in the last rule", i)
  end
  rule.behind = read_behind(rawget(t, "behind"), i, label)
  return rule
end

-- ---- the walk over all cases ---------------------------------------------------------------------

-- Word of each level in case number `number` (1 ..); the last level changes fastest.
local function case_words(levels, number)
  local words, rest = {}, number - 1
  for k = #levels, 1, -1 do
    local n = #levels[k].words
    words[k] = levels[k].words[rest % n + 1]
    rest = (rest - rest % n) / n
  end
  return words
end

local function fits(rule, words, levels)
  for k = 1, #levels do
    if rule.when[k] ~= nil and rule.when[k] ~= words[k] then return false end
  end
  return true
end

local function in_words(words, levels)
  local parts = {}
  for k = 1, #levels do parts[k] = levels[k].name .. " = " .. words[k] end
  return concat(parts, ", ")
end

-- Who takes each case; of each rule, which earlier ones take cases that fit it too, with the first such case.
local function walk(rules, levels, cases)
  local found = { taker = {}, taken = {}, over = {}, open = {} }
  for i = 1, #rules do found.taken[i], found.over[i] = 0, {} end
  for number = 1, cases do
    local words, first = case_words(levels, number), nil
    for i = 1, #rules do
      if fits(rules[i], words, levels) then
        if not first then
          first = i
          found.taken[i] = found.taken[i] + 1
        else
          -- every earlier rule that fits shares this case, not only the one that takes it
          for j = first, i - 1 do
            if fits(rules[j], words, levels) then found.over[i][j] = found.over[i][j] or number end
          end
        end
      end
    end
    found.taker[number] = first
    if not first then found.open[#found.open + 1] = number end
  end
  return found
end

local function named(rules, i)
  return format("rule %d (%s)", i, rules[i].gives)
end

-- Rules that take all cases of rule i.
local function takers(rules, levels, found, i)
  local list, seen = {}, {}
  for number = 1, #found.taker do
    local taker = found.taker[number]
    if not seen[taker] and fits(rules[i], case_words(levels, number), levels) then
      seen[taker] = true
      list[#list + 1] = taker
    end
  end
  sort(list)
  for k = 1, #list do list[k] = named(rules, list[k]) end
  return concat(list, ", "), #list
end

local function behind(rule, label)
  for k = 1, #rule.behind do
    if rule.behind[k] == label then return true end
  end
  return false
end

local function lint_rule(rules, levels, found, i, complain)
  local rule, shared = rules[i], {}
  if found.taken[i] == 0 then
    local list, n = takers(rules, levels, found, i)
    return complain(i, "%s is never reached: %s %s all its cases", named(rules, i), list, n == 1 and "takes" or "take")
  end
  for j = 1, i - 1 do
    local case = found.over[i][j]
    if case then
      local label = rules[j].gives
      if not rule.otherwise and label ~= rule.gives and not behind(rule, label) and not shared[label] then
        complain(i, "%s overlaps %s, which takes %s: if that is meant, write behind = { \"%s\" }", named(rules, i), named(rules, j),
          in_words(case_words(levels, case), levels), label)
      end
      shared[label] = true
    end
  end
  for k = 1, #rule.behind do
    if not shared[rule.behind[k]] then
      complain(i, "%s is said to stand behind %s, but no rule before it that gives %s shares a case with it", named(rules, i),
        rule.behind[k], rule.behind[k])
    end
  end
end

-- Everything that is wrong with the table, in one error: the first fault with file:line, the others with their lines.
local function lint(rules, levels, label, found)
  local lines, faults, len, more = rule_lines(#rules), {}, 0, 0
  local function complain(i, ...)
    local words = format(...)
    local at = i and lines[i] or line_of("rules")
    words = #faults == 0 and format("%s:%d: rules: %s", source.file, at, words) or format("line %d: %s", at, words)
    if #faults > 0 and len + #words > MAX_WORDS then
      more = more + 1
    else
      faults[#faults + 1], len = words, len + #words
    end
  end
  for i = 1, #rules do lint_rule(rules, levels, found, i, complain) end
  if #found.open > 0 then
    complain(nil, "no rule fits %s%s: add one, or { gives = \"...\", otherwise = true } as the last",
      in_words(case_words(levels, found.open[1]), levels), #found.open > 1 and format(" (nor %d other cases)", #found.open - 1) or "")
  end
  for k = 1, #label.words do
    local given = label.words[k] == UNKNOWN
    for i = 1, #rules do given = given or rules[i].gives == label.words[k] end
    if not given then complain(nil, "no rule gives %s, which is a word of %s", label.words[k], label.name) end
  end
  if more > 0 then faults[#faults + 1] = format("and %d more", more) end
  if #faults > 0 then error(concat(faults, "; "), 0) end
end

-- ---- deciding ------------------------------------------------------------------------------------

local function is_null(x)
  return x == nil or type(x) == "userdata" and getmetatable(x) == "null"
end

local function decider(levels, answers)
  local known = {}
  for k = 1, #levels do known[levels[k].name] = true end
  return function(given)
    if type(given) ~= "table" then error("decide: a table of levels expected, got " .. type(given), 2) end
    for name in next, given do
      if not known[name] then error("decide: " .. tostring(name) .. " is no level of the rules", 2) end
    end
    local number, whole = 0, true
    for k = 1, #levels do
      local level = levels[k]
      local word = rawget(given, level.name)
      if is_null(word) then
        whole = false
      else
        local at = level.index[word]
        if not at then error(format("decide: %s = %s is none of %s", level.name, show(word), concat(level.words, ", ")), 2) end
        number = number * #level.words + at - 1
      end
    end
    return whole and answers[number + 1] or UNKNOWN
  end
end

-- ---- as a document -------------------------------------------------------------------------------

local function rule_document(rule, levels)
  local when = { kind = "o" }
  for k = 1, #levels do
    if rule.when[k] ~= nil then
      when[#when + 1] = levels[k].name
      when[#when + 1] = rule.when[k]
    end
  end
  return object("when", when, "gives", rule.gives, "behind", #rule.behind > 0 and array(rule.behind) or nil, "otherwise", rule.otherwise)
end

-- The table of a declaration: levels and rules as they stand in it, label: { name, words }, texts: all outputs like it.
-- Gives decide(levels) -> label, and both as documents.
return function(listed_levels, listed_rules, label, texts)
  local levels = read_levels(listed_levels, texts)
  label.index = {}
  for k = 1, #label.words do label.index[label.words[k]] = k end
  if not label.index[UNKNOWN] then refuse("outputs." .. label.name, "words must hold \"%s\", which a missing level gives", UNKNOWN) end
  local n = list_length(listed_rules)
  if not n or n == 0 or n > MAX_RULES then
    refuse("rules", "must be a list of 1 to %d rules { level = \"word\", gives = \"label\" }, got %s", MAX_RULES, show(listed_rules))
  end
  local rules, cases, answers = {}, 1, {}
  for k = 1, #levels do cases = cases * #levels[k].words end
  for i = 1, n do rules[i] = read_rule(rawget(listed_rules, i), i, n, levels, label) end
  local found = walk(rules, levels, cases)
  lint(rules, levels, label, found)
  for number = 1, cases do answers[number] = rules[found.taker[number]].gives end
  local level_names, documents = {}, {}
  for k = 1, #levels do level_names[k] = levels[k].name end
  for i = 1, n do documents[i] = rule_document(rules[i], levels) end
  return decider(levels, answers), array(level_names), array(documents)
end
