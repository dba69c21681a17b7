--- pairs_spread: how far a symbol has drifted from the benchmark it usually moves with, and whether it comes back.
--
-- ln price is laid on ln benchmark by least squares; what is left over is the spread. Its z-score says how rich the
-- symbol is, its half-life how long a deviation lasts. Two walks that have nothing in common also give a line and a
-- z-score: believe them only where `unit_root_t` is below -3.34 (5 % of unrelated walks are).
-- Teaches: w.benchmark, the time grid for anything lagged, parameters that are thresholds.
--
-- Source: R. Engle, C. Granger, "Co-integration and Error Correction", Econometrica 55 (1987); critical value: J.
-- MacKinnon, Queen's Economics Department working paper 1227 (2010), two variables, constant; pairs: G. Vidyamurthy,
-- "Pairs Trading", 2004.
local given = require "given"

local FIELDS = { "hedge_ratio", "constant", "spread", "z_score", "half_life", "unit_root_t", "correlation", "state" }

local function nothing(reason)
  local out = {}
  for _, field in ipairs(FIELDS) do out[field] = null(reason) end
  return out
end

--- Dickey-Fuller's t: of phi in e[t] - e[t-1] = phi e[t-1] + noise, over the pairs of neighbours that are there.
local function unit_root_t(cells)
  local step = cells:diff()
  local before = cells:shift() + (step - step)           -- missing where the step is
  step, before = step:compact(), before:compact()
  local n, squares = #step, before:dot(before)
  local phi = step:dot(before) / squares
  local rest = step - phi * before
  return n < 20 and 0 / 0 or phi / math.sqrt(rest:dot(rest) / (n - 1) / squares)
end

return calculator {
  api     = 1,
  name    = "pairs_spread",
  about   = "spread of a symbol over the benchmark: hedge ratio, z-score, half-life and a test of coming back",
  method  = "Engle-Granger two-step (1987)",
  every   = { "1h" },
  needs   = { candles = { span = "30d", bars = 120, min = 50, benchmark = true } },
  params  = {
    entry = number { default = 2, min = 0.1, max = 10, unit = "sd", about = "a z-score beyond this is rich or cheap" },
  },
  outputs = {
    { "hedge_ratio", number { unit = "ratio", about = "slope: percent of the symbol for one percent of the benchmark" } },
    { "constant", number { unit = "none", about = "of the line, in ln of the price" } },
    { "spread", number { unit = "ratio", about = "ln close less the line, at the last bar" } },
    { "z_score", number { unit = "sd", about = "spread / its standard deviation over the window" } },
    { "half_life", number { unit = "bars", about = "until half of a spread is gone (AR(1))" } },
    { "unit_root_t", number { unit = "sd", about = "Dickey-Fuller t of the spread: below -3.34 it comes back (5 %)" } },
    { "correlation", number { unit = "ratio", about = "of the log returns, -1 .. 1" } },
    { "state", text { words = { "rich", "cheap", "fair" }, about = "z-score against entry" } },
  },
  compute = function(w, p)
    local bench = w.benchmark
    if not bench then return nothing("no_benchmark") end
    if bench.symbol == w.symbol then return nothing("is_benchmark") end
    local y, x = w.close:log(), bench.close:log()
    local hedge, used = y:beta(x)
    if used < math.max(20, w.n / 2) then return nothing("too_few") end
    if missing(hedge) then return nothing("flat") end     -- the benchmark does not move
    local both = y - hedge * x                            -- missing where one of them is
    local constant = both:mean()
    local spread = both - constant
    local sd, last, cells = spread:std(), spread:final(), w:grid(spread)
    local still = missing(sd) or sd <= 1e-12              -- the line fits exactly: rounding is no spread
    local r, common = w:log_returns():pearson(bench:log_returns())
    local z = not still and last / sd or 0 / 0
    local why = missing(last) and "missing" or "straight"
    return {
      hedge_ratio = hedge,
      constant    = constant,
      spread      = given(last, "missing"),
      z_score     = given(z, why),
      half_life   = still and null("straight") or given(cells:half_life(), "not_reverting"),
      unit_root_t = still and null("straight") or given(unit_root_t(cells)),
      correlation = common < 20 and null("too_few") or given(r, "flat"),
      state       = missing(z) and null(why) or z > p.entry and "rich" or z < -p.entry and "cheap" or "fair",
    }
  end,
}
