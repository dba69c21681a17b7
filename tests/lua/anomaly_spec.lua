--- Anomalies: what detect may say, and what is made of it.
local petrosa = require "petrosa"

-- A detector with this body of detect, at line 6; extra: further fields, in one line.
local function load(detect, extra, params)
  return petrosa.load(([[
return anomaly {
  api = 1, name = "x", about = "for a spec", %s
  needs = { candles = { span = "1d", bars = 5, min = 2 } },
  params = { %s },
  detect = function(w, p)
    %s
  end,
}]]):format(extra or "", params or "threshold = number { default = 3, min = 0, max = 100 }", detect), "x.lua")
end

local START = 1735689600

-- Five bars of 1h that close at 10 .. 14.
local function run(detect, options, extra, params)
  local input = { close = { 10, 11, 12, 13, 14 }, volume = { 1, 2, 3, 4, 5 } }
  for k, v in pairs(options or {}) do input[k] = v end
  return assert(load(detect, extra, params)):run(input)
end

local function whole(detect, extra, params)
  return run(detect, { whole = true }, extra, params)
end

local SCORES = "return { score = vec.of{0, 5, 0/0, 1, 3.2}, expected = 12, observed = w.close }"

describe("an anomaly", function()
  it("is declared with the outputs that all detectors have", function()
    local d = assert(load("return {}", 'every = { "1h" },')):declaration()
    assert.equal("anomaly", d.kind)
    assert.equal("market", d.of)
    assert.equal("data", d.shape)
    local names = {}
    for i, output in ipairs(d.outputs) do names[i] = output.name .. " " .. output.type end
    assert.same({ "found int", "score number", "severity text", "anomalies records" }, names)
    local fields = {}
    for i, field in ipairs(d.outputs[4].fields) do fields[i] = field.name .. " " .. field.type end
    assert.same({ "time time", "price number", "score number", "threshold number", "expected number", "observed number", "direction text",
                  "severity text", "reason text" }, fields)
    assert.equal("data_quality", assert(load("return {}", 'of = "data_quality",')):declaration().of)
  end)

  describe("that gives scores", function()
    it("has a hit where the score is above the threshold", function()
      local result = whole(SCORES)
      assert.equal("ok", result.status)
      assert.same({
        found = 2, score = 3.2, severity = "low",
        anomalies = {
          { time = START + 3600, price = 11, score = 5, threshold = 3, expected = 12, observed = 11, direction = "down",
            severity = "high", reason = "statistical_outlier" },
          { time = START + 4 * 3600, price = 14, score = 3.2, threshold = 3, expected = 12, observed = 14, direction = "up",
            severity = "low", reason = "statistical_outlier" },
        },
      }, result.data)
      assert.same({}, result.metadata.reasons)
    end)

    it("keeps what became known at the newest bar", function()
      local data = run(SCORES).data
      assert.equal(1, data.found)
      assert.equal(14, data.anomalies[1].price)
      data = run("return { score = vec.of{9, 9, 9, 9, 3} }").data
      assert.same({ found = 0, score = 3, severity = "none", anomalies = {} }, data)
    end)

    it("takes the threshold that stands beside them", function()
      assert.equal(3, whole("return { score = vec.of{0, 5, 0/0, 1, 3.2}, threshold = 0.5 }").data.found)
      assert.equal(1, whole("return { score = vec.of{0, 5, 0/0, 1, 3.2}, threshold = 4 }", nil, "").data.found)
    end)

    it("cannot tell where the newest bar has none: null, not none found", function()
      for _, x in ipairs { "0/0", "1/0" } do
        local result = run("return { score = vec.of{9, 9, 9, 9, " .. x .. "} }")
        assert.same({}, result.data)
        assert.same({ found = "missing", score = "missing", severity = "missing", anomalies = "missing" }, result.metadata.reasons)
      end
      local result = whole("return { score = vec.of{9, 0, 9, 0, 0/0} }")
      assert.equal(2, result.data.found)
      assert.equal(2, #result.data.anomalies)
      assert.same({ score = "missing", severity = "missing" }, result.metadata.reasons)
      assert.same({ found = "missing", score = "missing", severity = "missing", anomalies = "missing" },
        whole("return { score = vec.new(5, 0/0) }").metadata.reasons)
    end)

    it("has expected and observed of each bar, of all of them, or not at all", function()
      local hit = whole("return { score = vec.of{0, 9, 0, 0, 0}, expected = vec.of{1, 2, 3, 4, 5}, observed = 7 }").data.anomalies[1]
      assert.same({ 2, 7, "up" }, { hit.expected, hit.observed, hit.direction })
      hit = whole("return { score = vec.of{0, 9, 0, 0, 0}, expected = vec.of{1, 0/0, 3, 4, 5}, observed = null('no') }").data.anomalies[1]
      assert.is_nil(hit.expected)
      assert.is_nil(hit.observed)
      assert.equal("none", hit.direction)
      assert.equal("none", whole("return { score = vec.of{0, 9, 0, 0, 0}, expected = 7, observed = 7 }").data.anomalies[1].direction)
      assert.equal("down", whole("return { score = vec.of{0, 9, 0, 0, 0}, direction = 'down' }").data.anomalies[1].direction)
    end)
  end)

  describe("that gives a list of hits", function()
    it("names bars, oldest first", function()
      local data = whole("return { { bar = 4, score = 6, expected = 1, observed = 2, reason = 'late' }, { bar = 1, score = 3.5 } }").data
      assert.equal(2, data.found)
      assert.same({ { START, 10, 3.5, "none", "medium", "statistical_outlier" }, { START + 3 * 3600, 13, 6, "up", "critical", "late" } },
        { { data.anomalies[1].time, data.anomalies[1].price, data.anomalies[1].score, data.anomalies[1].direction, data.anomalies[1].severity,
            data.anomalies[1].reason },
          { data.anomalies[2].time, data.anomalies[2].price, data.anomalies[2].score, data.anomalies[2].direction, data.anomalies[2].severity,
            data.anomalies[2].reason } })
    end)

    it("keeps what became known at the newest bar, also of an older one", function()
      local late = "return { { bar = 3, score = 4 }, { bar = 4, known = 5, score = 9, severity = 'medium' } }"
      assert.equal(2, whole(late).data.found)
      local data = run(late).data
      assert.equal(1, data.found)
      assert.equal(13, data.anomalies[1].price)
      assert.same({ 9, "medium" }, { data.score, data.severity })
      data = run("return { score = 2.5, { bar = 4, known = 5, score = 9 }, { bar = 5, score = 3.1 } }").data
      assert.same({ 3.1, "low", 2 }, { data.score, data.severity, data.found })
    end)

    it("is empty where there is nothing, with the score of the newest bar or without", function()
      assert.same({ found = 0, severity = "none", anomalies = {} }, run("return {}").data)
      assert.same({ score = "quiet" }, run("return {}").metadata.reasons)
      assert.same({ found = 0, score = 1.5, severity = "none", anomalies = {} }, run("return { score = 1.5 }").data)
    end)

    it("cannot tell where it says so of the newest bar, and nothing became known", function()
      assert.same({ found = "no_row", score = "no_row", severity = "no_row", anomalies = "no_row" },
        run("return { score = null('no_row'), { bar = 2, score = 9 } }").metadata.reasons)
      assert.equal(1, whole("return { score = null('no_row'), { bar = 2, score = 9 } }").data.found)
    end)

    it("takes a score of the newest bar that is NaN or infinite as none, as in a vector", function()
      for _, x in ipairs { "0/0", "1/0", "-1/0" } do
        assert.same({ found = "missing", score = "missing", severity = "missing", anomalies = "missing" },
          run("return { score = " .. x .. ", { bar = 2, score = 9 } }").metadata.reasons)
        local result = whole("return { score = " .. x .. ", { bar = 2, score = 9 } }")
        assert.equal(1, result.data.found)
        assert.same({ score = "missing", severity = "missing" }, result.metadata.reasons)
      end
    end)

    it("names the first of several members that are not known, whatever their order in the table", function()
      for detect, words in pairs {
        ["return { { bar = 2, score = 9, mike = 1, tango = 1, alfa = 1, zulu = 1, kilo = 1 } }"] = "a hit has no member alfa:",
        ["return { { bar = 2, score = 9 }, mike = 1, tango = 1, alfa = 1, zulu = 1, [7] = 1 }"] = "a list of hits has no member alfa:",
        ["return { score = vec.new(5), mike = 1, tango = 1, alfa = 1, zulu = 1, [7] = 1 }"] = "an answer with scores has no member alfa:",
      } do
        assert.is_truthy(whole(detect).metadata.error.message:find(words, 1, true), detect)
      end
    end)
  end)

  it("gets the results of the metrics that it needs", function()
    local script = assert(petrosa.load([[
return anomaly {
  api = 1, name = "x", about = "for a spec", needs = { candles = { span = "1d" }, metrics = { "volume", "mad" } },
  detect = function(w, p, m)
    if not m.volume then return null("no_volume") end
    return { score = w.volume / m.volume.total_volume, threshold = m.mad and m.mad.severity == "high" and 0.5 or 0.9 }
  end,
}]], "x.lua"))
    local function found(metrics) return script:run { close = { 1, 2 }, volume = { 1, 6 }, metrics = metrics } end
    assert.equal(0, found({ volume = { total_volume = 10 } }).data.found)
    assert.equal(1, found({ volume = { total_volume = 10 }, mad = { severity = "high" } }).data.found)
    assert.equal("no_volume", found({}).metadata.reasons.found)
  end)

  it("says that it cannot tell: not the same as nothing found", function()
    for _, result in ipairs { run("return null('flat')"), whole("return null('flat')") } do
      assert.equal("ok", result.status)
      assert.same({}, result.data)
      assert.same({ found = "flat", score = "flat", severity = "flat", anomalies = "flat" }, result.metadata.reasons)
    end
    local short = run("return {}", { close = { 1 } })
    assert.equal("warming", short.status)
    assert.same({}, short.data)
  end)

  describe("says how bad a hit is", function()
    local function of(score, extra, beside)
      local detect = ("return { score = vec.of{0, 0, 0, 0, %.17g} %s }"):format(score, beside or "")
      return run(detect, nil, extra).data.severity
    end

    it("by the threshold: 1.1, 4/3 and 5/3 of it", function()
      for score, word in pairs { [3] = "none", [3.001] = "low", [3.3] = "low", [3.31] = "medium", [4] = "medium", [4.01] = "high", [5] = "high",
                                 [5.01] = "critical" } do
        assert.equal(word, of(score), score)
      end
    end)

    it("by a function of its own", function()
      local extra = "severity = function(score, p) return score > 2 * p.threshold and 'critical' or 'medium' end,"
      assert.equal("medium", of(6, extra))
      assert.equal("critical", of(6.1, extra))
      assert.equal("none", of(2, extra))
    end)

    it("by cuts that it worked out", function()
      for score, word in pairs { [3.5] = "low", [4.5] = "medium", [5.5] = "high", [6.5] = "critical" } do
        assert.equal(word, of(score, nil, ", cuts = { 4, 5, 6 }"))
      end
    end)

    it("or itself", function()
      assert.equal("critical", run("return { { bar = 5, score = 1, severity = 'critical' } }", nil, nil, "").data.severity)
    end)
  end)

  describe("with details", function()
    local DETAILS = [[details = { { "volume", "base" }, { "features", map { keys = { "a", "b" }, unit = "none" } }, { "why", text {} } },]]

    it("tells those of the bar", function()
      local hit = whole("return { score = vec.of{0, 9, 0, 0, 0}, volume = w.volume, features = { a = w.close, b = 7 }, why = 'so' }", DETAILS).data
        .anomalies[1]
      assert.same({ volume = 2, features = { a = 11, b = 7 }, why = "so" }, hit.details)
      hit = whole("return { { bar = 2, score = 9, volume = 2, features = { a = 1 } } }", DETAILS).data.anomalies[1]
      assert.same({ volume = 2, features = { a = 1 } }, hit.details)
      assert.is_nil(whole("return { { bar = 2, score = 9 } }", DETAILS).data.anomalies[1].details)
    end)

    it("has them in its declaration", function()
      local fields = assert(load("return {}", DETAILS)):declaration().outputs[4].fields
      assert.equal("details", fields[#fields].name)
      assert.same({ { name = "volume", type = "number", unit = "base" },
                    { name = "features", type = "map", keys = { "a", "b" }, unit = "none" }, { name = "why", type = "text" } }, fields[#fields].fields)
    end)

    it("that are not as declared is an error", function()
      for detect, words in pairs {
        ["return { { bar = 2, score = 9, volume = 'much' } }"] = "output anomalies.0.details.volume: number expected, got string",
        ["return { { bar = 2, score = 9, features = { c = 1 } } }"] = "output anomalies.0.details.features.c: was not declared as a key",
        ["return { { bar = 2, score = 9, spread = 1 } }"] = "detect: a hit has no member spread: what a detector tells beside the usual is declared in details",
        ["return { score = vec.of{0, 0, 0, 9, 0}, volume = vec.new(3) }"] = "detect: a column has 3 elements, one for each bar of the window is wanted",
        ["return { score = vec.new(5), spread = 1 }"] = "detect: an answer with scores has no member spread",
      } do
        local result = whole(detect, DETAILS)
        assert.equal("error", result.status)
        assert.is_truthy(result.metadata.error.message:find(words, 1, true), result.metadata.error.message)
        assert.equal(5, result.metadata.error.line)
      end
    end)
  end)

  it("that gives something else is an error at its line", function()
    for detect, words in pairs {
      ["return nil"] = "must give { score = vector, .. }, a list of hits ({} where there is none) or null(\"reason\"), got nothing",
      ["return 5"] = "got 5",
      ["return w.close"] = "got a vector",
      ["return { score = 'high' }"] = "score must be a vector (one a bar), or beside a list of hits the number of the newest bar, got \"high\"",
      ["return { score = vec.new(4) }"] = "score has 4 elements, one for each of the 5 bars of the window is wanted",
      ["return { score = vec.new(5), expected = vec.new(2) }"] = "expected has 2 elements, the window 5 bars",
      ["return { score = vec.new(5, 9), expected = 'x' }"] = "expected must be a number or nil, got \"x\"",
      ["return { score = vec.new(5), threshold = 'x' }"] = "scores need a threshold, a number: give threshold = ..",
      ["return { score = vec.new(5), { bar = 1, score = 9 } }"] = "an answer with scores has no member 1",
      ["return { score = vec.new(5, 9), cuts = { 1, 2 } }"] = "cuts must be the scores above which a hit is medium, high and critical, rising",
      ["return { score = vec.new(5, 9), cuts = { 3, 2, 4 } }"] = "cuts must be",
      ["return { score = vec.new(5, 9), direction = 'left' }"] = "hit at bar 1: direction must be \"up\", \"down\" or \"none\", got \"left\"",
      ["return { score = vec.new(5, 9), reason = 'Not a word' }"] = "hit at bar 1: reason must be a word of a-z, 0-9, _, at most 60 long",
      ["return { score = vec.new(5, 9), threshold = 0 }"] = "hit at bar 1: without a threshold above 0 nothing says how bad it is",
      ["return { 5 }"] = "hit 1 must be a table { bar = .., score = .. }, got 5",
      ["return { { score = 5 } }"] = "hit 1: bar must be its place in the window, 1 .. 5, got nothing",
      ["return { { bar = 6, score = 5 } }"] = "hit 1: bar must be its place in the window, 1 .. 5, got 6",
      ["return { { bar = 2.5, score = 5 } }"] = "1 .. 5, got 2.5",
      ["return { { bar = 3 } }"] = "hit 1: score must be a number, got nothing",
      ["return { { bar = 3, score = 0/0 } }"] = "hit 1: score must be a number, got nan",
      ["return { { bar = 3, score = 5, known = 2 } }"] = "hit 1: known must be the bar at which it became known, 3 .. 5, got 2",
      ["return { { bar = 3, score = 5, severity = 'none' } }"] = "hit at bar 3: severity must be low, medium, high or critical, got \"none\"",
      ["return { { bar = 3, score = 5 }, { bar = 3, score = 6 } }"] = "bar 3 is a hit twice: a detector says once what is wrong with a bar",
      ["return { { bar = 3, score = 5, threshold = 'x' } }"] = "hit 1: threshold must be a number or nil, got \"x\"",
      ["return { first = { bar = 3, score = 5 } }"] = "a list of hits has no member first",
      ["return { { bar = 3, score = 5 }, [3] = { bar = 4, score = 5 } }"] = "a list of hits has no member 3",
    } do
      local result = whole(detect)
      assert.equal("error", result.status, detect)
      local message = result.metadata.error.message:gsub("%-nan", "nan")
      assert.is_truthy(message:find(words, 1, true), detect .. ": " .. message)
      assert.equal(5, result.metadata.error.line, detect)
      assert.same({}, result.data)
    end
    local result = whole("return { score = vec.new(5, 9) }", "severity = function() return 'bad' end,")
    assert.is_truthy(result.metadata.error.message:find("severity: must give low, medium, high or critical, got \"bad\" (of score 9)", 1, true))
    assert.equal(2, result.metadata.error.line)
    assert.equal(6, whole("return w:nothing()").metadata.error.line)
  end)

  it("that is no anomaly is refused, with its line", function()
    local function refused(want, fields)
      local lines = { "return anomaly {" }
      local all = { api = "1", name = '"x"', about = '"y"', needs = '{ candles = { span = "7d" } }', detect = "function() return {} end" }
      for k, v in pairs(fields) do all[k] = v end
      for _, key in ipairs { "api", "name", "about", "of", "needs", "params", "details", "outputs", "shape", "compute", "detect", "severity" } do
        if all[key] and all[key] ~= "nil" then lines[#lines + 1] = ("  %s = %s,"):format(key, all[key]) end
      end
      lines[#lines + 1] = "}"
      local script, why = petrosa.load(table.concat(lines, "\n"), "x.lua")
      assert.is_nil(script)
      assert.is_truthy(why:find(want, 1, true), want .. " expected in: " .. why)
      return tonumber(why:match(":(%d+):"))
    end
    assert.equal(5, refused('of: must be "market" or "data_quality", got "weather"', { of = '"weather"' }))
    refused("detect: must be a function, got nothing", { detect = "nil" })
    assert.equal(7, refused("severity: must be a function(score, p), got 5", { severity = "5" }))
    refused('anomaly: unknown field "outputs"', { outputs = "{ a = 'sd' }" })
    refused('anomaly: unknown field "shape"', { shape = '"data"' })
    refused('anomaly: unknown field "compute"', { compute = "function() end" })
    refused("needs.candles: an anomaly is of a bar", { needs = '{ metrics = { "volume" } }' })
    refused("needs.books: an anomaly is of a bar, and order books have none of their own", { needs = '{ books = { span = "1h" } }' })
    refused("needs.market: an anomaly is of one symbol and cannot look at the market", { needs = '{ market = { span = "1d" } }' })
    refused("needs.candles.period: an anomaly is of a bar of the period that is asked for", { needs = '{ candles = { span = "1d", period = "1h" } }' })
    refused("details: there are none", { details = "{}" })
    refused("details.score: this name is taken: every hit has it", { details = '{ score = "none" }' })
    refused("details.id: this name is taken", { details = '{ id = "none" }' })
    refused('details.x: unit "dollars" is not known', { details = '{ x = "dollars" }' })
    refused("details: entry 1 must be { name, unit }", { details = '{ { "x" } }' })
    refused("details.x: must be a unit or one of number, count, bool, text, record, map", { details = '{ x = list { unit = "sd" } }' })
    refused('needs.candles.days: must be the name of an int or number parameter, got "days"', { needs = '{ candles = { span = "1d", days = "days" } }' })
    refused("needs.candles.days: the parameter days needs bounds, min at least 0 and max at most 36500",
      { needs = '{ candles = { span = "1d", days = "days" } }', params = "{ days = int { default = 0 } }" })
  end)
end)

describe("a window of so many days", function()
  local function expected(days, period, min)
    local script = assert(petrosa.load(([[
return calculator {
  api = 1, name = "x", about = "for a spec", needs = { candles = { span = "7d", days = "days", bars = 200, min = %s } },
  params = { days = number { default = 0, min = 0, max = 100 } }, outputs = { n = "count" },
  compute = function(w) return { n = w.n } end,
}]]):format(min or "1"), "x.lua"))
    local result = script:run { period = period, close = { 1 }, params = { days = days } }
    return result.metadata.expected .. " " .. result.metadata.window
  end

  it("is the span and its bars where none is asked for", function()
    assert.equal("200 200h", expected(0, "1h"))
    assert.equal("10080 7d", expected(0, "1m"))
    assert.equal("200 200d", expected(0, "1d"))
  end)

  it("is what is asked for, but no fewer bars than it needs", function()
    assert.equal("168 7d", expected(7, "1h"))
    assert.equal("7 7d", expected(7, "1d"))
    assert.equal("30 30d", expected(7, "1d", "30"))
    assert.equal("30 30d", expected(7, "1d", "function() return 30 end"))
    assert.equal("2400 100d", expected(100, "1h"))
    assert.equal("12 12h", expected(0.5, "1h"))
    assert.equal("1 1d", expected(1, "1w"))
  end)
end)
