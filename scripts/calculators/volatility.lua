--- volatility: how far the price moves in a bar, by estimators that use more or less of the bar.
--
-- Close-to-close sees only closes; Parkinson adds high and low; Garman-Klass, Rogers-Satchell and
-- Yang-Zhang use all four prices and need far fewer bars for the same precision, in this order less
-- troubled by drift and by jumps between bars. All are per bar; the annualised ones are multiplied
-- by annualization_factor, the root of the bars in a year.
local given = require "given"

local YEAR = 365 * 86400 -- seconds; crypto never closes

return calculator {
  api    = 1,
  name   = "volatility",
  about  = "size of the moves: close to close, range based, exponentially weighted, and its own history",
  method = "rolling_stddev",
  shape  = "values",
  every  = { "1h", "1d" },
  needs  = { candles = {
    span = "90d",
    bars = function(p) return math.max(120, 2 * p.window) end,
    min  = function(p) return math.max(21, p.window + 1) end,
  } },
  params = {
    window        = int { default = 20, min = 2, max = 5000, unit = "bars",
                          about = "bars that the trailing estimators look at" },
    annualization = enum { "calendar", "legacy252", default = "calendar",
                           about = "bars in a year: as the clock counts them, or always 252" },
  },
  outputs = {
    { "rolling_stddev", number { unit = "ratio", about = "standard deviation of the last simple returns, per bar" } },
    { "annualized", number { unit = "ratio", stored = "annualized_volatility", about = "rolling_stddev, a year" } },
    { "parkinson", number { unit = "ratio", about = "from high and low, per bar (Parkinson 1980)" } },
    { "garman_klass", number { unit = "ratio", about = "from all four prices, per bar (Garman & Klass 1980)" } },
    { "parkinson_annualized", number { unit = "ratio", about = "parkinson, a year" } },
    { "garman_klass_annualized", number { unit = "ratio", about = "garman_klass, a year" } },
    { "vov", number { unit = "ratio", stored = "volatility_of_volatility",
      about = "standard deviation of the last rolling_stddev values; needs twice the window" } },
    { "rogers_satchell", number { unit = "ratio", about = "free of drift, per bar (Rogers & Satchell 1991)" } },
    { "yang_zhang", number { unit = "ratio", about = "with the jumps between bars, per bar (Yang & Zhang 2000)" } },
    { "ewma", number { unit = "ratio", about = "exponentially weighted, lambda 0.94 (RiskMetrics 1996)" } },
    { "downside", number { unit = "ratio", about = "root mean square of the falls among the last log returns" } },
    { "upside", number { unit = "ratio", about = "of the rises; downside^2 + upside^2 = mean square" } },
    { "percentile", number { unit = "ratio", about = "share of the span's rolling_stddev not above this one" } },
    { "annualization_factor", number { unit = "ratio", about = "root of the bars in a year, as used" } },
  },
  compute = function(w, p)
    local factor = math.sqrt(p.annualization == "legacy252" and 252 or YEAR / w.seconds)
    -- The first bar has no return: rolling windows begin with the second.
    local rolling = w:simple_returns():sub(2):rolling_std(p.window):sub(p.window)
    local sd, recent = rolling:final(), w:log_returns():last(p.window)
    local parkinson, garman_klass = w:parkinson(p.window), w:garman_klass(p.window)
    return {
      rolling_stddev          = given(sd),
      annualized              = given(sd * factor),
      parkinson               = given(parkinson),
      garman_klass            = given(garman_klass),
      parkinson_annualized    = given(parkinson * factor),
      garman_klass_annualized = given(garman_klass * factor),
      vov                     = #rolling < p.window and null("too_few") or given(rolling:last(p.window):std()),
      rogers_satchell         = given(w:rogers_satchell(p.window)),
      yang_zhang              = given(w:yang_zhang(p.window)),
      ewma                    = given(w:log_returns():ewma(0.94, 20)),
      downside                = given(recent:downside()),
      upside                  = given(recent:upside()),
      percentile              = given(rolling:rank(sd)),
      annualization_factor    = factor,
    }
  end,
}
