--- deviation: where the last close stands among those before it, and what kind of walk the returns are.
--
-- `window` and `ddof` shape the first ten outputs, which are about the level of the price. The others
-- are about the log returns of the whole span, on the time grid, so that a hole never makes two
-- distant returns neighbours.
local given = require "given"

--- The ratio of each q with its z, or why there is none.
local function variance_ratios(returns, why)
  local all = {}
  for _, q in ipairs { 2, 5, 10 } do
    local ratio, z = returns:variance_ratio(q)
    if missing(ratio) or missing(z) then return null(why) end
    all[tostring(q)] = { ratio = ratio, z = z }
  end
  return all
end

return calculator {
  api    = 1,
  name   = "deviation",
  about  = "position of the last close in its recent distribution, and the statistics of the returns",
  method = "statistical_analysis",
  shape  = "data",
  every  = { "1h", "1d" },
  needs  = { candles = {
    span = "30d",
    bars = function(p) return math.max(120, p.window) end,
    min  = function(p) return math.max(21, p.window) end,
  } },
  params = {
    window = int { default = 20, min = 2, max = 5000, unit = "bars",
                   about = "closes that the bands look at" },
    ddof   = int { default = 1, min = 0, max = 1, unit = "none",
                   about = "1: sample, 0: population standard deviation" },
  },
  outputs = {
    { "standard_deviation", number { unit = "quote", about = "of the last closes" } },
    { "variance", number { unit = "none", about = "its square, quote squared" } },
    { "bollinger_middle", number { unit = "quote", about = "mean of the last closes" } },
    { "bollinger_upper", number { unit = "quote", about = "middle + 2 standard deviations" } },
    { "bollinger_lower", number { unit = "quote", about = "middle - 2 standard deviations" } },
    { "bollinger_width", number { unit = "ratio", about = "(upper - lower) / middle" } },
    { "percent_b", number { unit = "ratio", about = "where the close is between lower (0) and upper (1)" } },
    { "z_score", number { unit = "sd", about = "standard deviations from the middle" } },
    { "price_range_index", number { unit = "ratio", about = "the close from lowest (0) to highest (1) close" } },
    { "coefficient_of_variation", number { unit = "ratio", about = "standard deviation / middle" } },
    { "autocorrelation", number { unit = "ratio", about = "of neighbouring log returns, -1 .. 1" } },
    { "autocorrelation_band", number { unit = "ratio", about = "95 % of samples without memory lie within +- this" } },
    { "ljung_box_p", number { unit = "ratio", about = "p of no autocorrelation in 10 lags (Ljung & Box 1978)" } },
    { "price_autocorrelation", number { unit = "ratio", about = "of neighbouring closes: near 1 for any walk" } },
    { "skewness", number { unit = "none", about = "of the log returns, G1, bias corrected" } },
    { "kurtosis", number { unit = "none", about = "of the log returns, excess, G2, bias corrected" } },
    { "jarque_bera_p", number { unit = "ratio", about = "p of normal returns (Jarque & Bera 1980)" } },
    { "variance_ratio", map { keys = { "2", "5", "10" }, fields = { { "ratio", "ratio" }, { "z", "sd" } },
      about = "variance over q bars / q times that of one, robust z (Lo & MacKinlay 1988)" } },
    { "hurst", number { unit = "none", about = "0.5 = no long memory, more = persistent (DFA-1, Peng 1994)" } },
    { "half_life", number { unit = "bars", about = "until half of a deviation of ln price is gone (AR(1))" } },
  },
  compute = function(w, p)
    local close = w.close:last(p.window)
    local last, middle, sd = close:final(), close:mean(), close:std(p.ddof)
    local low, high = close:min(), close:max()
    -- Why the close has no place among the others; in a flat window it is in the middle of a range of nothing.
    local nowhere = missing(sd) and "too_few" or missing(last) and "missing" or sd == 0 and "flat"

    -- Of the log returns at least half must be there, else nothing is said about any of them.
    local r = w:log_returns():sub(2)
    local few = r:count() < #r / 2
    local cells, logs = few and vec.new(0) or w:grid_log_returns(), few and vec.new(0) or w:grid(w.close:log())
    local flat = r:min() == r:max()
    local why = flat and "flat" or "too_few" -- why a statistic of them cannot be had

    return {
      standard_deviation       = given(sd),
      variance                 = given(close:var(p.ddof)),
      bollinger_middle         = given(middle),
      bollinger_upper          = given(middle + 2 * sd),
      bollinger_lower          = given(middle - 2 * sd),
      bollinger_width          = given(4 * sd / middle),
      percent_b                = nowhere and null(nowhere) or (last - middle + 2 * sd) / (4 * sd),
      z_score                  = nowhere and null(nowhere) or (last - middle) / sd,
      price_range_index        = nowhere == "flat" and 0.5 or nowhere and null(nowhere) or (last - low) / (high - low),
      coefficient_of_variation = given(sd / middle),
      autocorrelation          = given(cells:autocorrelation(1), why),
      autocorrelation_band     = few and null("too_few") or 1.96 / math.sqrt(r:count()),
      ljung_box_p              = given(cells:ljung_box_p(10), why),
      price_autocorrelation    = given(w.close:autocorrelation(1), "flat"),
      skewness                 = given(r:skewness(), why),
      kurtosis                 = given(r:kurtosis(), why),
      jarque_bera_p            = given(r:jarque_bera_p(), why),
      variance_ratio           = variance_ratios(cells, why),
      hurst                    = given(cells:hurst(), why),
      half_life                = flat and null("flat") or given(logs:half_life(), few and "too_few" or "not_reverting"),
    }
  end,
}
