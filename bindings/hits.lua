--- hits: what a detector found, as the outputs that all detectors have. Trusted; built in, and run only in the VM of a
-- script that is one.
--
-- detect looks at a whole window and does not know who asks. It says either how unusual each bar is,
--
--     { score = vector, expected = .., observed = .. }      a hit is where the score is above the threshold
--
-- or which bars are hits, { { bar = i, score = .. }, .. }. Who asks is known here: a scheduled run keeps what became known at
-- the newest bar, so that a hit is told once, when it happens; a whole one keeps all. An answer that has no number for the
-- newest bar cannot say that there is nothing: then all outputs are null.
local tools = ...
jit.off(true, true) -- but for the one loop over the bars

local getmetatable, next, rawget, type = getmetatable, next, rawget, type
local find, format = string.find, string.format
local sort = table.sort
local refuse, show, list_length, is_finite, is_whole, null =
  tools.refuse, tools.show, tools.list_length, tools.is_finite, tools.is_whole, tools.null

local SEVERITIES, WORDS = { "low", "medium", "high", "critical" }, { "none", "low", "medium", "high", "critical" }
local RANK = { none = 0, low = 1, medium = 2, high = 3, critical = 4 }
local DIRECTIONS = { up = true, down = true, none = true }
local CUTS = { 1.1, 4 / 3, 5 / 3 } -- times the threshold: above these a hit is medium, high, critical
local REASON = "statistical_outlier"
local REASON_BYTES = 60
local DEPTH = 8 -- of tables in details

local ANSWER = { score = true, threshold = true, expected = true, observed = true, direction = true, reason = true, cuts = true }
local HIT = { bar = true, known = true, score = true, threshold = true, expected = true, observed = true, direction = true,
              severity = true, reason = true }
local BESIDE = { score = true, cuts = true } -- what may stand beside a list of hits

-- ---- outputs -------------------------------------------------------------------------------------

local function value(name, kind, about, more)
  return { name = name, value = { type = kind, unit = kind == "number" and "none" or nil, about = about, words = more } }
end

-- The same for all detectors; details: a record of what this one declares, or nil.
local function outputs(details)
  local price = value("price", "number", "its close")
  price.value.unit = "quote"
  local fields = {
    value("time", "time", "open time of the bar"),
    price,
    value("score", "number", "how unusual it is"),
    value("threshold", "number", "above which a score is a hit"),
    value("expected", "number", "what would have been usual"),
    value("observed", "number", "what was there instead"),
    value("direction", "text", "observed against expected", { "up", "down", "none" }),
    value("severity", "text", "how bad it is", SEVERITIES),
    value("reason", "text", "why it is one, in a word"),
  }
  if details then fields[#fields + 1] = { name = "details", value = details } end
  local found = value("found", "count", "anomalies that became known at the newest bar; where the whole window is asked for, in it")
  local anomalies = value("anomalies", "records", "what was found, oldest first")
  found.value.unit, anomalies.value.fields = "count", fields
  return {
    found,
    value("score", "number", "how unusual the newest bar is"),
    value("severity", "text", "of the newest bar, or of an older one that became known with it", WORDS),
    anomalies,
  }
end

-- ---- pieces of an answer -------------------------------------------------------------------------

local function is_of(x, what)
  return type(x) == "userdata" and getmetatable(x) == what
end

local function words(x)
  if type(x) ~= "userdata" then return show(x) end
  return "a " .. format("%s", getmetatable(x))
end

local function fail(...)
  refuse("detect", ...)
end

-- A number that may be missing: nil then.
local function number_or_nil(x, ...)
  if x == nil or is_of(x, "null") then return nil end
  if type(x) ~= "number" then fail("%s must be a number or nil, got %s", format(...), words(x)) end
  return is_finite(x) and x or nil
end

-- The newest bar's score: one that is NaN or infinite is none.
local function number_or_missing(x)
  return is_finite(x) and x or null("missing")
end

-- What a column has for bar i: the element of a vector, or the same for all bars. Tables are gone through.
local function element(x, i, depth)
  if is_of(x, "vector") then
    if i > #x then fail("a column has %d elements, one for each bar of the window is wanted", #x) end
    return x:get(i)
  end
  if type(x) ~= "table" then return x end
  if depth > DEPTH then fail("details are nested too deeply: at most %d tables in each other", DEPTH) end
  local out = {}
  for k, v in next, x do out[k] = element(v, i, depth + 1) end
  return out
end

local function check_reason(reason, ...)
  if reason == nil then return REASON end
  if type(reason) ~= "string" or #reason > REASON_BYTES or not find(reason, "^[a-z][a-z0-9_]*$") then
    fail("%s: reason must be a word of a-z, 0-9, _, at most %d long, got %s", format(...), REASON_BYTES, words(reason))
  end
  return reason
end

local function check_direction(direction, expected, observed, ...)
  if direction == nil then
    if not expected or not observed then return "none" end
    return observed > expected and "up" or observed < expected and "down" or "none"
  end
  if not DIRECTIONS[direction] then fail("%s: direction must be \"up\", \"down\" or \"none\", got %s", format(...), words(direction)) end
  return direction
end

local function check_cuts(cuts)
  if cuts == nil then return nil end
  local good = list_length(cuts) == 3
  for i = 1, good and 3 or 0 do
    good = good and is_finite(rawget(cuts, i)) and (i == 1 or rawget(cuts, i) >= rawget(cuts, i - 1))
  end
  if not good then
    fail("cuts must be the scores above which a hit is medium, high and critical, rising: { 1, 2, 3 }, got %s", words(cuts))
  end
  return cuts
end

local function by_cuts(score, cuts, unit)
  local at = 1
  while at <= 3 and score > rawget(cuts, at) * unit do at = at + 1 end
  return SEVERITIES[at]
end

-- ---- a detector ----------------------------------------------------------------------------------

-- detect, severity: of the script; details: names of what its hits have beside the usual. What is called for each window.
local function detector(detect, severity, details)
  local function severity_of(hit, cuts, p)
    if hit.severity ~= nil then
      if hit.severity == "none" or not RANK[hit.severity] then
        fail("hit at bar %d: severity must be low, medium, high or critical, got %s", hit.bar, words(hit.severity))
      end
      return hit.severity
    end
    if cuts then return by_cuts(hit.score, cuts, 1) end
    if severity then
      local word = severity(hit.score, p)
      if word == "none" or not RANK[word] then
        refuse("severity", "must give low, medium, high or critical, got %s (of score %.10g)", words(word), hit.score)
      end
      return word
    end
    if not hit.threshold or hit.threshold <= 0 then
      fail("hit at bar %d: without a threshold above 0 nothing says how bad it is: give severity, or cuts", hit.bar)
    end
    return by_cuts(hit.score, CUTS, hit.threshold)
  end

  -- The hit as it is told.
  local function told(hit, cuts, w, p)
    return {
      time = w.time:get(hit.bar), price = w.close:get(hit.bar), score = hit.score, threshold = hit.threshold, expected = hit.expected,
      observed = hit.observed, direction = check_direction(hit.direction, hit.expected, hit.observed, "hit at bar %d", hit.bar),
      severity = severity_of(hit, cuts, p), reason = check_reason(hit.reason, "hit at bar %d", hit.bar), details = hit.details,
    }
  end

  -- Refuses the first of the members that are not known; a table has no order of its own.
  local function refuse_members(unknown, what)
    local names, others = {}, {}
    for i = 1, #unknown do
      local k = unknown[i]
      if type(k) == "string" then names[#names + 1] = k else others[#others + 1] = words(k) end
    end
    sort(names)
    sort(others)
    if names[1] then fail("%s has no member %s: what a detector tells beside the usual is declared in details", what, names[1]) end
    if others[1] then fail("%s has no member %s", what, others[1]) end
  end

  local function details_of(t, known, what)
    local out, unknown = nil, {}
    for k in next, t do
      if details and details[k] then
        out = out or {}
        out[k] = rawget(t, k)
      elseif not known[k] then
        unknown[#unknown + 1] = k
      end
    end
    refuse_members(unknown, what)
    return out
  end

  -- Bars from first on whose score is above the threshold, and whether any has one.
  local function above(score, threshold, first, n)
    local bars, some = {}, false
    for i = first, n do
      local x = score:get(i)
      if x - x == 0 then
        some = true
        if x > threshold then bars[#bars + 1] = i end
      end
    end
    return bars, some
  end
  jit.on(above)

  local function from_scores(said, w, p, whole)
    local score, n = rawget(said, "score"), w.n
    local extras = details_of(said, ANSWER, "an answer with scores")
    if #score ~= n then fail("score has %d elements, one for each of the %d bars of the window is wanted", #score, n) end
    local threshold = rawget(said, "threshold")
    if threshold == nil then threshold = p.threshold end
    if not is_finite(threshold) then
      fail("scores need a threshold, a number: give threshold = .., or declare a parameter threshold; got %s", words(threshold))
    end
    for _, name in next, { "expected", "observed" } do
      local x = rawget(said, name)
      if is_of(x, "vector") and #x ~= n then fail("%s has %d elements, the window %d bars", name, #x, n) end
    end
    local bars, some = above(score, threshold, whole and 1 or n, n)
    if not some then return nil, null("missing") end
    local hits = {}
    for k = 1, #bars do
      local i = bars[k]
      hits[k] = {
        bar = i, known = i, score = score:get(i), threshold = threshold,
        expected = number_or_nil(element(rawget(said, "expected"), i, 1), "expected"),
        observed = number_or_nil(element(rawget(said, "observed"), i, 1), "observed"),
        direction = rawget(said, "direction"), reason = rawget(said, "reason"), details = extras and element(extras, i, 1),
      }
    end
    return hits, number_or_missing(score:get(n))
  end

  local function take_hit(t, at, w, p)
    if type(t) ~= "table" then fail("hit %d must be a table { bar = .., score = .. }, got %s", at, words(t)) end
    local hit = { details = details_of(t, HIT, "a hit") }
    for name in next, HIT do hit[name] = rawget(t, name) end
    if not is_whole(hit.bar) or hit.bar < 1 or hit.bar > w.n then
      fail("hit %d: bar must be its place in the window, 1 .. %d, got %s", at, w.n, words(hit.bar))
    end
    if hit.known == nil then hit.known = hit.bar end
    if not is_whole(hit.known) or hit.known < hit.bar or hit.known > w.n then
      fail("hit %d: known must be the bar at which it became known, %d .. %d, got %s", at, hit.bar, w.n, words(hit.known))
    end
    if not is_finite(hit.score) then fail("hit %d: score must be a number, got %s", at, words(hit.score)) end
    if hit.threshold == nil then hit.threshold = p.threshold end
    for _, name in next, { "threshold", "expected", "observed" } do
      hit[name] = number_or_nil(hit[name], "hit %d: %s", at, name)
    end
    return hit
  end

  local function from_list(said, w, p, whole)
    local n, hits, newest = #said, {}, rawget(said, "score")
    local unknown = {}
    for k in next, said do
      if not BESIDE[k] and not (is_whole(k) and k >= 1 and k <= n) then unknown[#unknown + 1] = k end
    end
    refuse_members(unknown, "a list of hits")
    if newest ~= nil and not is_of(newest, "null") then
      if type(newest) ~= "number" then
        fail("score must be a vector (one a bar), or beside a list of hits the number of the newest bar, got %s", words(newest))
      end
      newest = number_or_missing(newest)
    end
    if n > w.n then fail("names %d hits, the window has %d bars: a bar is a hit once at most", n, w.n) end
    for i = 1, n do hits[i] = take_hit(rawget(said, i), i, w, p) end
    sort(hits, function(a, b) return a.bar < b.bar end)
    local kept = {}
    for i = 1, n do
      local hit = hits[i]
      if i > 1 and hit.bar == hits[i - 1].bar then fail("bar %d is a hit twice: a detector says once what is wrong with a bar", hit.bar) end
      if hit.bar == w.n and newest == nil then newest = hit.score end
      if whole or hit.known == w.n then kept[#kept + 1] = hit end
    end
    if #kept == 0 and not whole and is_of(newest, "null") then return nil, newest end
    return kept, newest
  end

  -- Score and severity of the newest bar; where that is no hit itself, of the worst that became known with it.
  local function of_newest(hits, out, newest, n)
    local score, worst = newest, "none"
    for i = 1, #hits do
      local word = out[i].severity
      if hits[i].bar == n then return hits[i].score, word end
      if hits[i].known == n and RANK[word] > RANK[worst] then score, worst = hits[i].score, word end
    end
    if worst == "none" and is_of(newest, "null") then return newest, newest end
    return score == nil and null("quiet") or score, worst
  end

  return function(w, p, m, whole)
    local said = detect(w, p, m)
    if is_of(said, "null") then return { found = said, score = said, severity = said, anomalies = said } end
    if type(said) ~= "table" then
      fail("must give { score = vector, .. }, a list of hits ({} where there is none) or null(\"reason\"), got %s", words(said))
    end
    local by_score = is_of(rawget(said, "score"), "vector")
    local hits, newest = (by_score and from_scores or from_list)(said, w, p, whole)
    if not hits then return { found = newest, score = newest, severity = newest, anomalies = newest } end
    local cuts, out = check_cuts(rawget(said, "cuts")), {}
    for i = 1, #hits do out[i] = told(hits[i], cuts, w, p) end
    local score, worst = of_newest(hits, out, newest, w.n)
    return { found = #hits, score = score, severity = worst, anomalies = out }
  end
end

return { outputs = outputs, detector = detector }
