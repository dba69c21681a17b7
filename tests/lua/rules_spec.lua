--- Decision tables: what the linter finds, with its place, and what decide() says.
local petrosa = require "petrosa"

local LEVELS = [[
    { "volatility_level", text { words = { "high", "medium", "low" } } },
    { "volume_level", text { words = { "high", "medium", "low" } } },
    { "trend_direction", text { words = { "bullish", "bearish", "neutral" } } },]]

-- A regime over three levels; rules: the lines of the table. Line 10 of the text is the first of them.
local function text(rules, options)
  options = options or {}
  return table.concat({
    "return regime {",
    '  api = 1, name = "x", about = "for a spec", needs = { metrics = { "volatility" } },',
    "  outputs = {",
    '    { "state", text { words = { ' .. (options.words or '"a", "b", "c", "unknown"') .. " } } },",
    LEVELS, -- three lines
    "  }, levels = " .. (options.levels or '{ "volatility_level", "volume_level", "trend_direction" }') .. ",",
    "  rules = {",
    rules,
    "  },",
    "  classify = function(m, p, w, decide)",
    "    " .. (options.classify or "return { state = decide(m.volatility) }"),
    "  end,",
    "}",
  }, "\n")
end

local function load(rules, options) return petrosa.load(text(rules, options)) end

local function refused(rules, want, options)
  local script, why = load(rules, options)
  assert.is_nil(script)
  assert.is_nil(why:find("\n"), "one line")
  assert.is_truthy(why:find(want, 1, true), want .. " expected in: " .. why)
  return tonumber(why:match(":(%d+):")), why
end

local FIRST = 10 -- line of the first rule

describe("a decision table", function()
  local GOOD = [[
    { volatility_level = "high", trend_direction = "bullish", gives = "a" },
    { volatility_level = "high", gives = "b", behind = { "a" } },
    { gives = "c", otherwise = true },]]

  local function state(script, levels)
    return script:run { close = { 1 }, metrics = { volatility = levels } }.data.state
  end

  it("gives the label of the first rule that fits", function()
    local script = assert(load(GOOD))
    assert.equal("a", state(script, { volatility_level = "high", volume_level = "low", trend_direction = "bullish" }))
    assert.equal("b", state(script, { volatility_level = "high", volume_level = "low", trend_direction = "neutral" }))
    assert.equal("c", state(script, { volatility_level = "low", volume_level = "high", trend_direction = "bullish" }))
  end)

  it("gives unknown where a level is missing, also one that no rule would ask for", function()
    local script = assert(load(GOOD))
    for _, missing in ipairs { "volatility_level", "volume_level", "trend_direction" } do
      local levels = { volatility_level = "high", volume_level = "low", trend_direction = "bullish" }
      levels[missing] = nil
      assert.equal("unknown", state(script, levels))
    end
    local by_null = assert(load(GOOD, { classify = 'return { state = decide { volatility_level = null("why"), volume_level = "low" } }' }))
    assert.equal("unknown", state(by_null, {}))
  end)

  it("answers as its plain reading does, in all cases", function()
    local script, words = assert(load(GOOD)), { "high", "medium", "low" }
    for _, volatility in ipairs(words) do
      for _, volume in ipairs(words) do
        for _, trend in ipairs { "bullish", "bearish", "neutral" } do
          local want = volatility == "high" and (trend == "bullish" and "a" or "b") or "c"
          assert.equal(want, state(script, { volatility_level = volatility, volume_level = volume, trend_direction = trend }))
        end
      end
    end
  end)

  it("is part of the declaration, with the label", function()
    local d = assert(load(GOOD)):declaration()
    assert.equal("state", d.label)
    assert.same({ "volatility_level", "volume_level", "trend_direction" }, d.levels)
    assert.same({
      { when = { volatility_level = "high", trend_direction = "bullish" }, gives = "a" },
      { when = { volatility_level = "high" }, gives = "b", behind = { "a" } },
      { when = {}, gives = "c", otherwise = true },
    }, d.rules)
  end)

  it("is asked for levels and words that it has", function()
    local function fault(levels)
      local script = assert(load(GOOD, { classify = "return { state = decide(" .. levels .. ") }" }))
      return script:run({ close = { 1 }, metrics = { volatility = {} } }).metadata.error
    end
    assert.is_truthy(fault('{ volatility_level = "hi" }').message:find('volatility_level = "hi" is none of high, medium, low', 1, true))
    assert.is_truthy(fault('{ volatility = "high" }').message:find("volatility is no level", 1, true))
    assert.is_truthy(fault('"high"').message:find("a table of levels expected, got string", 1, true))
    assert.is_number(fault("nil").line)
  end)
end)

describe("the linter of decision tables", function()
  -- as the former system tested them, one after the other
  local FORMER = [[
    { volatility_level = "high", volume_level = "low", gives = "turbulent_illiquidity" },
    { volatility_level = "low", volume_level = "high", gives = "stable_accumulation" },
    { volatility_level = "high", volume_level = "high", gives = "breakout_phase" },
    { volatility_level = "low", volume_level = "low", gives = "consolidation" },
    { volatility_level = "high", volume_level = "high", trend_direction = "bullish", gives = "bullish_acceleration" },
    { volatility_level = "high", volume_level = "high", trend_direction = "bearish", gives = "bearish_acceleration" },
    { volatility_level = "medium", volume_level = "medium", gives = "balanced_market" },
    { gives = "transitional", otherwise = true },]]
  local WORDS = { words = [["turbulent_illiquidity", "stable_accumulation", "breakout_phase", "consolidation", "bullish_acceleration",
    "bearish_acceleration", "balanced_market", "transitional", "unknown"]] }

  it("finds the two dead regimes of the former system's order", function()
    local line, why = refused(FORMER, "rule 5 (bullish_acceleration) is never reached: rule 3 (breakout_phase) takes all its cases", WORDS)
    assert.equal(FIRST + 1 + 4, line) -- the words take two lines
    assert.is_truthy(why:find("line 16: rule 6 (bearish_acceleration) is never reached: rule 3 (breakout_phase) takes all its cases", 1, true), why)
    assert.is_nil(why:find("rule 8", 1, true))
  end)

  it("finds a rule whose cases several others take", function()
    local line = refused([[
    { volatility_level = "high", gives = "a" },
    { volatility_level = "medium", gives = "a" },
    { volatility_level = "low", gives = "a" },
    { trend_direction = "neutral", gives = "b", behind = { "a" } },
    { gives = "c", otherwise = true },]],
      "rule 4 (b) is never reached: rule 1 (a), rule 2 (a), rule 3 (a) take all its cases; line 14: rule 5 (c) is never reached")
    assert.equal(FIRST + 3, line)
  end)

  it("finds an overlap that is not declared, with a case", function()
    local line = refused([[
    { volatility_level = "high", gives = "a" },
    { volume_level = "low", gives = "b" },
    { gives = "c", otherwise = true },]],
      "rule 2 (b) overlaps rule 1 (a), which takes volatility_level = high, volume_level = low, trend_direction = bullish: " ..
      'if that is meant, write behind = { "a" }')
    assert.equal(FIRST + 1, line)
  end)

  it("finds an overlap with a rule that does not take the case itself", function()
    refused([[
    { volatility_level = "high", volume_level = "low", trend_direction = "bullish", gives = "a" },
    { volatility_level = "high", gives = "b", behind = { "a" } },
    { volume_level = "low", trend_direction = "bullish", gives = "c", behind = { "a" } },
    { gives = "c", otherwise = true },]], "rule 3 (c) overlaps rule 2 (b)")
  end)

  it("lets two rules overlap that give the same", function()
    assert(load [[
    { volatility_level = "high", gives = "a" },
    { volume_level = "low", gives = "a" },
    { trend_direction = "bearish", gives = "b", behind = { "a" } },
    { gives = "c", otherwise = true },]])
  end)

  it("finds what is declared behind and is not", function()
    local line = refused([[
    { volatility_level = "high", gives = "a" },
    { volatility_level = "low", gives = "b", behind = { "a" } },
    { gives = "c", otherwise = true },]], "rule 2 (b) is said to stand behind a, but no rule before it that gives a shares a case with it")
    assert.equal(FIRST + 1, line)
  end)

  it("finds the cases that nobody takes", function()
    local line = refused([[
    { volatility_level = "high", gives = "a" },
    { volatility_level = "medium", gives = "b" },
    { volatility_level = "low", volume_level = "high", gives = "c" },]],
      "no rule fits volatility_level = low, volume_level = medium, trend_direction = bullish (nor 5 other cases)")
    assert.equal(FIRST - 1, line)
    refused([[
    { volatility_level = "high", gives = "a" },
    { volatility_level = "medium", gives = "b" },
    { volatility_level = "low", volume_level = "high", gives = "c" },
    { volatility_level = "low", volume_level = "low", gives = "c" },
    { volatility_level = "low", volume_level = "medium", trend_direction = "bullish", gives = "c" },
    { volatility_level = "low", volume_level = "medium", trend_direction = "neutral", gives = "c" },]],
      "no rule fits volatility_level = low, volume_level = medium, trend_direction = bearish: add one")
  end)

  it("finds a word of the label that no rule gives", function()
    refused([[
    { volatility_level = "high", gives = "a" },
    { gives = "b", otherwise = true },]], "no rule gives c, which is a word of state")
  end)

  it("counts what does not fit into one message", function()
    local rules = {}
    for i = 1, 12 do rules[i] = '    { volatility_level = "high", gives = "a" },' end
    local _, why = refused(table.concat(rules, "\n"), "rule 2 (a) is never reached")
    assert.is_truthy(why:find("; and %d+ more"), why)
    assert.is_true(#why < 700)
  end)

  it("finds the lines of rules among comments, quotes and braces", function()
    local line = refused([==[
    -- { rules = { in a comment
    { volatility_level = "high",
      gives = "a" }, --[[ { a
      long one } ]]
    {
      volatility_level = "high", gives = 'b' },
    { gives = "c", otherwise = true },]==], "rule 2 (b) is never reached")
    assert.equal(FIRST + 4, line)
  end)

  it("falls back to the line of the table where a program made it", function()
    local program = text('    { volatility_level = "high", gives = "a" }, { volatility_level = "high", gives = "b" }, { gives = "c", otherwise = true },')
    program = program:gsub("rules = (%b{})", function(rules) return "rules = (function() local all = {} " ..
      "for i, rule in ipairs(" .. rules:gsub("\n", " ") .. ") do all[i] = rule end return all end)()" end)
    local _, why = petrosa.load(program)
    assert.is_truthy(why:find(":9: rules: rule 2 (b) is never reached", 1, true), why)
  end)

  it("refuses what is no rule, and says which", function()
    local tail = '\n    { gives = "c", otherwise = true },'
    for rule, want in pairs {
      ['"high",'] = "rule 1 must be a table",
      ['{ volatility_level = "hi", gives = "a" },'] = 'rule 1: volatility_level = "hi" is none of high, medium, low',
      ['{ volatility = "high", gives = "a" },'] = 'rule 1: "volatility" is no level, nor gives, behind or otherwise',
      ['{ volatility_level = "high", gives = "z" },'] = 'rule 1: gives = "z" is none of the words of state (a, b, c, unknown)',
      ['{ volatility_level = "high" },'] = "rule 1: gives = nothing is none",
      ['{ gives = "a" },'] = "rule 1 names no level: write otherwise = true, in the last rule",
      ['{ gives = "a", otherwise = true },'] = "rule 1: otherwise stands alone with gives, in the last rule",
      ['{ volatility_level = "high", gives = "a", otherwise = 1 },'] = "rule 1: otherwise must be true, got 1",
      ['{ volatility_level = "high", gives = "a", behind = "b" },'] = "rule 1: behind must be a list of labels",
      ['{ volatility_level = "high", gives = "a", behind = { "z" } },'] = 'rule 1: behind names "z", which is none',
    } do
      refused("    " .. rule .. tail, want)
    end
  end)

  it("refuses levels and labels that cannot be", function()
    local rules = '    { volatility_level = "high", gives = "a" }, { gives = "b", otherwise = true },'
    refused(rules, 'levels: "volume" is no text output with words', { levels = '{ "volume" }' })
    refused(rules, 'levels: "volume_level" is there twice', { levels = '{ "volume_level", "volume_level" }' })
    refused(rules, "levels: must be a list of text outputs", { levels = '"volume_level"' })
    refused(rules, "rules: need levels", { levels = "nil" })
    refused(rules, 'outputs.state: words must hold "unknown"', { words = '"a", "b"' })
    refused(rules, "need a text output with words beside the levels",
      { levels = '{ "state", "volatility_level", "volume_level", "trend_direction" }' })
    refused("", "rules: must be a list of 1 to 256 rules")
    local script, why = petrosa.load((text(rules):gsub("rules = %b{},", "")))
    assert.is_nil(script)
    assert.is_truthy(why:find("levels: need rules", 1, true), why)
  end)
end)

describe("the label of a regime", function()
  local function regime(outputs)
    return petrosa.load('return regime { api = 1, name = "x", about = "for a spec", needs = { metrics = { "volatility" } }, outputs = ' .. outputs ..
      ", classify = function() return {} end }")
  end

  it("is the first text output with words, when there is one", function()
    assert.equal("b", assert(regime '{ { "a", text {} }, { "b", text { words = { "x" } } }, { "c", text { words = { "y" } } } }'):declaration().label)
    assert.is_nil(assert(regime '{ { "a", text {} }, { "n", "sd" } }'):declaration().label)
  end)

  it("leaves no room for outputs that the API adds to it", function()
    for _, name in ipairs { "since", "previous_b", "stable_b" } do
      local script, why = regime('{ { "b", text { words = { "x" } } }, { "' .. name .. '", "sd" } }')
      assert.is_nil(script)
      assert.is_truthy(why:find("outputs." .. name .. ": this name is taken: the API adds it to the label b", 1, true), why)
    end
  end)

  it("is no matter of calculators", function()
    local script, why = petrosa.load('return calculator { api = 1, name = "x", about = "y", needs = { candles = { span = "1d" } }, outputs = { a = "sd" }, ' ..
      "rules = {}, compute = function() return {} end }")
    assert.is_nil(script)
    assert.is_truthy(why:find('unknown field "rules"', 1, true), why)
  end)
end)
