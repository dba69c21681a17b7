--- har_rv: tomorrow's volatility from that of the last day, week and month (heterogeneous autoregression).
--
-- The realised volatility of a day is the root of the sum of its squared returns. Traders of different horizons see the
-- last day, the mean of the last week and of the last month; a straight line in these three says tomorrow's well.
-- A day here is the 24 hours before as_of, not before midnight, so that the forecast is fresh on every bar.
-- Teaches: sums of blocks by the time grid, and a regression from scripts/lib/ols.lua.
--
-- Source: F. Corsi, "A Simple Approximate Long-Memory Model of Realized Volatility", Journal of Financial Econometrics
-- 7 (2009). His week and month have 5 and 22 trading days; crypto never closes, so they have 7 and 30.
local given = require "given"
local ols = require "ols"

local DAY, YEAR = 86400, 365

--- Realised volatility of each day of the window, oldest first; missing for a day with a hole in it.
local function daily(w)
  local bars = DAY / w.seconds
  -- Every return of a day must be there: a sum with a hole is not a sum.
  local sums = w:grid_log_returns():square():rolling_sum(bars, bars)
  local days = math.floor(#sums / bars)
  local out = vec.new(days)
  for i = 1, days do out:set(i, sums:get(#sums - (days - i) * bars)) end
  return out:sqrt()
end

return calculator {
  api     = 1,
  name    = "har_rv",
  about   = "forecast of the next day's realised volatility from the last day, week and month",
  method  = "HAR-RV (Corsi 2009), ordinary least squares",
  every   = { "1h" },
  needs   = { candles = { span = "180d" } },
  params  = {
    week  = int { default = 7, min = 2, max = 30, unit = "count", about = "days of the middle horizon" },
    month = int { default = 30, min = 3, max = 90, unit = "count", about = "days of the slow horizon" },
  },
  outputs = {
    { "forecast", number { unit = "ratio", about = "realised volatility of the next 24 hours" } },
    { "forecast_annualized", number { unit = "ratio", about = "the same, a year of 365 days" } },
    { "day", number { unit = "ratio", about = "realised volatility of the last 24 hours" } },
    { "week", number { unit = "ratio", about = "mean of the days of the last week" } },
    { "month", number { unit = "ratio", about = "mean of the days of the last month" } },
    { "beta_day", number { unit = "ratio", about = "weight of the last day" } },
    { "beta_week", number { unit = "ratio", about = "weight of the last week" } },
    { "beta_month", number { unit = "ratio", about = "weight of the last month" } },
    { "constant", number { unit = "ratio", about = "constant of the line" } },
    { "r_squared", number { unit = "ratio", about = "share of the variance of the days that the line explains, 0 .. 1" } },
    { "days", count { about = "days that the line was fitted to" } },
  },
  compute = function(w, p)
    -- Bars of a day or more hold no returns inside a day.
    local day = w.seconds < DAY and daily(w) or vec.new(0)
    local week, month = day:rolling_mean(p.week), day:rolling_mean(p.month)
    local n = math.max(#day - 1, 0)
    local beta, constant, r_squared, used = ols(day:last(n), { day:first(n), week:first(n), month:first(n) })
    local short = w.seconds >= DAY and "no_intraday" or "too_few"
    local last, mid, slow = day:final(), week:final(), month:final()
    if not beta or used < 30 then
      local gone = null(#day > 1 and day:max() == day:min() and "flat" or short)
      return { forecast = gone, forecast_annualized = gone, day = given(last, short), week = given(mid, short),
               month = given(slow, short), beta_day = gone, beta_week = gone, beta_month = gone, constant = gone,
               r_squared = gone, days = gone }
    end
    local forecast = constant + beta[1] * last + beta[2] * mid + beta[3] * slow
    local absurd = forecast <= 0                          -- a straight line does not know that volatility is positive
    return {
      forecast            = absurd and null("negative") or given(forecast),
      forecast_annualized = absurd and null("negative") or given(forecast * math.sqrt(YEAR)),
      day                 = given(last),
      week                = given(mid),
      month               = given(slow),
      beta_day            = beta[1],
      beta_week           = beta[2],
      beta_month          = beta[3],
      constant            = constant,
      r_squared           = r_squared,
      days                = used,
    }
  end,
}
