--- trend: where the price goes, how steadily, and whether the averages have crossed.
--
-- Indicators on prices take the bars that are there, in order, and begin with the first bar of the
-- window; Wilder's averages begin with a plain mean of 14. Only rolling_beta, which is about
-- returns, knows of holes.
local given = require "given"

local SIDES = { [-1] = "bearish", [0] = "neutral", [1] = "bullish" }

--- Slope of log returns on the benchmark's.
local function beta(w)
  local bench = w.benchmark
  if not bench then return null("no_benchmark") end
  if bench.symbol == w.symbol then return 1 end
  local theirs = bench:log_returns()
  local slope, pairs_there = w:log_returns():beta(theirs)
  if pairs_there < math.max(20, w.n / 2) then return null("too_few") end
  return given(slope)
end

return calculator {
  api    = 1,
  name   = "trend",
  about  = "averages, momentum, direction and strength of the price, against the market",
  method = "moving_averages",
  shape  = "values",
  every  = { "1h", "1d" },
  needs  = { candles = { span = "30d", bars = 120, min = 50, benchmark = true } },
  params = {},
  outputs = {
    { "sma", number { unit = "quote", about = "mean of the last 20 closes" } },
    { "ema", number { unit = "quote", about = "adjusted exponential mean of the closes, span 20" } },
    { "wma", number { unit = "quote", about = "mean of the last 20 closes with weights 1 .. 20" } },
    { "rate_of_change", number { unit = "percent", about = "change over 10 bars" } },
    { "directional_strength", number { unit = "percent", about = "the last 20 bars that closed above their open" } },
    { "crossover_signal", text { words = { "bullish", "bearish", "neutral" }, about = "SMA 20 against SMA 50" } },
    { "crossover_event", text { words = { "bullish", "bearish" }, about = "the side to which the last bar crossed" } },
    { "bars_since_cross", count { unit = "bars", about = "0 on the bar that crossed" } },
    { "rsi", number { unit = "percent", about = "relative strength index 14 (Wilder 1978)" } },
    { "rsi_cutler", number { unit = "percent", about = "the same with simple means of the last 14 changes" } },
    { "macd", number { unit = "quote", about = "EMA 12 less EMA 26 (Appel)" } },
    { "macd_signal", number { unit = "quote", about = "EMA 9 of macd" } },
    { "macd_histogram", number { unit = "quote", about = "macd less macd_signal" } },
    { "atr", number { unit = "quote", about = "average true range 14 (Wilder 1978)" } },
    { "adx", number { unit = "percent", about = "average directional index 14 (Wilder 1978)" } },
    { "plus_di", number { unit = "percent", about = "upward directional indicator 14" } },
    { "minus_di", number { unit = "percent", about = "downward directional indicator 14" } },
    { "donchian_high", number { unit = "quote", about = "highest high of the last 20 bars" } },
    { "donchian_low", number { unit = "quote", about = "lowest low of the last 20 bars" } },
    { "efficiency_ratio", number { unit = "ratio", about = "net move over 20 bars / path walked (Kaufman 1995)" } },
    { "slope", number { unit = "ratio", about = "straight line through ln of the last 20 closes, per bar" } },
    { "slope_t", number { unit = "sd", about = "slope / its standard error, 18 degrees of freedom" } },
    { "rolling_beta", number { unit = "ratio", about = "slope on the benchmark's log returns; its own is 1" } },
  },
  compute = function(w)
    local close, recent = w.close, w.close:last(20)
    local enough = close:count() >= w.n / 2
    local side = close:sma(20):side(close:sma(50), close)
    local _, event, since = side:last_cross()
    local macd, signal, histogram = close:macd(12, 26, 9)
    local adx, plus, minus = w:adx(14)
    local walked = close:compact() -- the closes that are there
    local ended = missing(close:final()) and "missing"
    local slope, slope_t = recent:log():fit()
    return {
      sma                  = given(recent:mean()),
      ema                  = enough and close:ema_adjusted(20):final() or null("too_few"),
      wma                  = given(recent:wma(20):final()),
      rate_of_change       = given(close:last(11):roc(10):final(), "missing"),
      directional_strength = given(100 * recent:gt(w.open:last(20)):mean()),
      crossover_signal     = SIDES[side:final()] or null(ended or "too_few"),
      crossover_event      = event ~= 0 and SIDES[event] or null("no_cross"),
      bars_since_cross     = since or null("no_cross"),
      rsi                  = given(close:rsi(14):final(), "missing"),
      rsi_cutler           = ended and null(ended) or walked:last(15):rsi_cutler(14):final(),
      macd                 = given(macd:final(), "missing"),
      macd_signal          = given(signal:final(), "missing"),
      macd_histogram       = given(histogram:final(), "missing"),
      atr                  = given(w:atr(14):final(), "missing"),
      adx                  = given(adx:final(), "missing"),
      plus_di              = given(plus:final(), "missing"),
      minus_di             = given(minus:final(), "missing"),
      donchian_high        = given(w.high:last(20):max()),
      donchian_low         = given(w.low:last(20):min()),
      efficiency_ratio     = ended and null(ended) or given(walked:last(21):efficiency_ratio(20):final(), "flat"),
      slope                = given(slope),
      slope_t              = given(slope_t, missing(slope) and "too_few" or "straight"),
      rolling_beta         = beta(w),
    }
  end,
}
