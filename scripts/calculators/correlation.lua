--- correlation: how the market moves together, and how each symbol moves with the benchmark.
--
-- The matrix, its shrinkage and its eigenvalue are of the log returns of `window`. What is said of
-- each symbol beside the benchmark is always of the last 30 days (7 where it says so): these numbers
-- are compared over time. Breadth looks at the last 50 closes of each. A window of n bars has n - 1
-- returns: the first bar knows nothing of the bar before it.
local given = require "given"

local MONTH, WEEK = 30 * 86400, 7 * 86400 -- seconds
local LEAST = 20                          -- returns that two symbols must have in common
local LAGS = 48                           -- bars within which one may follow the other
local CLOSES = 50                         -- of the mean that breadth compares with

--- Bars in a span, at least one.
local function bars(span, seconds)
  return math.max(1, math.ceil(span / seconds))
end

--- Of a statistic of pairs: the number, or why there is none.
local function of_pairs(x, pairs)
  return pairs < LEAST and null("too_few") or given(x, "flat")
end

--- What two symbols that move as one would show; the benchmark beside itself.
local function itself(r, week)
  local why = r:count() < LEAST and "too_few" or missing((r:pearson(r))) and "flat"
  local one = why and null(why) or 1
  return {
    rolling_correlation    = one,
    rolling_correlation_7d = why and null(why) or week:count() < LEAST and null("too_few") or 1,
    confidence             = why and null(why) or { low = 1, high = 1 },
    cross_correlation_lag  = why and null(why) or 0,
    cross_correlation      = one,
    volatility_correlation = one,
    beta                   = one,
  }
end

--- A symbol beside the benchmark. r, b: log returns of a month; sizes: b:abs();
-- innovation: what b's own memory does not explain.
local function beside(r, b, sizes, innovation, week_bars)
  local rho, pairs = r:pearson(b)
  local recent, recent_pairs = r:last(week_bars - 1):pearson(b:last(week_bars - 1))
  local moves, moves_pairs = r:abs():pearson(sizes)
  local beta, beta_pairs = r:beta(b)
  local lag, peak, bound, lag_pairs = r:prewhiten():cross_correlation(innovation, LAGS, LEAST)
  local still = pairs >= LEAST and missing(rho) -- one of the two does not move
  local silent = lag_pairs == 0 and (still and "flat" or "too_few") or math.abs(peak) <= bound and "no_lead"
  local low, high = 0 / 0, 0 / 0
  if pairs >= LEAST and not still then low, high = vec.fisher(rho, pairs) end
  return {
    rolling_correlation    = of_pairs(rho, pairs),
    rolling_correlation_7d = of_pairs(recent, recent_pairs),
    confidence             = missing(low) and null(still and "flat" or "too_few") or { low = low, high = high },
    cross_correlation_lag  = silent and null(silent) or lag,
    cross_correlation      = silent and null(silent) or peak,
    volatility_correlation = of_pairs(moves, moves_pairs),
    beta                   = of_pairs(beta, beta_pairs),
  }
end

local function each(m)
  local week_bars, out = bars(WEEK, m.seconds), {}
  local month = m:last(bars(MONTH, m.seconds))
  local b = month:log_returns(m.benchmark)
  local sizes, innovation = b:abs(), b:prewhiten()
  for _, symbol in ipairs(m.symbols) do
    if symbol == m.benchmark then
      out[symbol] = itself(b, b:last(week_bars - 1))
    else
      out[symbol] = beside(month:log_returns(symbol), b, sizes, innovation, week_bars)
    end
  end
  return out
end

return calculator {
  api    = 1,
  name   = "correlation",
  about  = "how the log returns of all symbols move together, and each with the benchmark",
  method = "pearson",
  every  = { "1h", "1d" },
  needs  = { market = {
    span    = "window",
    bars    = function(_, seconds) return math.max(CLOSES, bars(MONTH, seconds)) end,
    min     = LEAST + 1,
    symbols = 2,
  } },
  params = {
    window   = span { default = "30d", min = "1h", max = "365d", about = "what the matrix looks at" },
    spearman = bool { default = false, about = "also the correlations of ranks" },
    shrunk   = bool { default = false, about = "also the matrix shrunk towards the identity" },
  },
  outputs = {
    { "correlation_matrix", matrix { unit = "ratio",
      about = "Pearson of log returns, each pair over the rows where both are there; null below 20 of them" } },
    { "overlap", matrix { unit = "count", about = "how many returns each pair has in common" } },
    { "repaired", bool { about = "gaps had made it no correlation matrix: negative eigenvalues were cut" } },
    { "shrinkage", number { unit = "ratio",
      about = "intensity that Ledoit & Wolf 2004 would shrink with, 0 .. 1, from the rows complete for all" } },
    { "spearman_matrix", matrix { unit = "ratio", about = "the same of ranks, on request" } },
    { "shrunk_matrix", matrix { unit = "ratio", about = "of the complete rows, shrunk by shrinkage, on request" } },
    { "benchmark", text { about = "the symbol that the others are held against" } },
    { "per_symbol", map { keys = "symbols", about = "each beside the benchmark, over 30 days", fields = {
      { "rolling_correlation", number { unit = "ratio", about = "Pearson of log returns" } },
      { "rolling_correlation_7d", number { unit = "ratio", about = "of the last 7 days" } },
      { "confidence", record { about = "95 % interval of rolling_correlation (Fisher 1921)",
        fields = { { "low", "ratio" }, { "high", "ratio" } } } },
      { "cross_correlation_lag", count { unit = "bars",
        about = "bars by which it follows the benchmark, of prewhitened returns within 48; negative: it leads" } },
      { "cross_correlation", number { unit = "ratio", about = "the correlation at that lag" } },
      { "volatility_correlation", number { unit = "ratio", about = "Pearson of the sizes of the returns" } },
      { "beta", number { unit = "ratio", about = "its move for one of the benchmark" } },
    } } },
    { "market", record { about = "of all symbols together", fields = {
      { "breadth", record { about = "how many rise", fields = {
        { "above_sma50_pct", number { unit = "percent", about = "over the mean of their last 50 closes" } },
        { "advancing_pct", number { unit = "percent", about = "that rose in the last bar" } },
        { "advance_decline", count { about = "that rose less those that fell" } },
      } } },
      { "first_eigenvalue_share", number { unit = "ratio", about = "of the variance that one common move explains" } },
      { "mean_correlation", number { unit = "ratio", about = "of all pairs" } },
    } } },
  },
  compute = function(m, p)
    local part = m:last(bars(p.window, m.seconds))
    local raw, overlap = part:pearson(LEAST)
    local matrix, repaired, first_share, kept = raw:repair()
    local shrinkage, rows, shrunk = part:ledoit_wolf()
    local thin = missing(shrinkage) and (rows < LEAST and "too_few" or "flat")
    local above, advancing, difference = m:breadth(CLOSES)
    return {
      correlation_matrix = matrix,
      overlap            = overlap,
      repaired           = repaired,
      shrinkage          = thin and null(thin) or shrinkage,
      spearman_matrix    = p.spearman and (part:spearman(LEAST)) or null("not_asked"),
      shrunk_matrix      = not p.shrunk and null("not_asked") or thin and null(thin) or shrunk,
      benchmark          = m.benchmark,
      per_symbol         = each(m),
      market             = {
        breadth = {
          above_sma50_pct = given(above),
          advancing_pct   = given(advancing),
          advance_decline = given(difference),
        },
        first_eigenvalue_share = kept < 2 and null("too_few") or first_share,
        mean_correlation       = given(matrix:mean()),
      },
    }
  end,
}
