--- anchored_vwap: the mean price paid since the day, week or month began (UTC), and how far the market is from it.
--
-- quote_volume / volume is the exact mean price of a bar's trades, so nothing has to be assumed about where inside a bar
-- they were (charts take (high + low + close) / 3). The bands are the volume-weighted standard deviation of those prices.
-- Teaches: an enum parameter, part of a window found from w.time, masks and weights instead of loops.
--
-- Source: S. Berkowitz, D. Logue, E. Noser, "The total cost of transactions on the NYSE", Journal of Finance 1988;
-- anchored: B. Shannon, "Maximum Trading Gains With Anchored VWAP", 2022.
local DAY = 86400

--- Day of the month, 0 the first, of days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms").
local function day_of_month(days)
  local z = days + 719468                               -- since 0000-03-01: the leap day ends a year
  local doe = z % 146097                                -- of the era of 400 years
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local month = math.floor((5 * doy + 2) / 153)         -- 0 is March
  return doy - math.floor((153 * month + 2) / 5)
end

--- Seconds since 1970 at which the day, week or month of `time` began. 1970-01-01 was a Thursday, weekday 3.
local function anchor_of(time, word)
  local days = math.floor(time / DAY)
  if word == "week" then days = days - (days + 3) % 7 end
  if word == "month" then days = days - day_of_month(days) end
  return days * DAY
end

return calculator {
  api     = 1,
  name    = "anchored_vwap",
  about   = "volume-weighted mean price since the day, week or month began, UTC, with bands",
  method  = "anchored VWAP (Berkowitz, Logue & Noser 1988)",
  every   = { "1h" },
  needs   = { candles = { span = "31d" } },             -- the longest month
  params  = {
    anchor = enum { "day", "week", "month", default = "day", about = "what began: 00:00 UTC, Monday, the first" },
    width  = number { default = 2, min = 0.1, max = 10, unit = "sd", about = "from the mean to the bands" },
  },
  outputs = {
    { "vwap", number { unit = "quote", about = "value / volume of all bars since the anchor" } },
    { "upper", number { unit = "quote", about = "vwap + width standard deviations" } },
    { "lower", number { unit = "quote", about = "vwap - width standard deviations" } },
    { "deviation", number { unit = "quote", about = "volume-weighted standard deviation of the bars' mean prices" } },
    { "z_score", number { unit = "sd", about = "the close from vwap, in deviations" } },
    { "distance", number { unit = "percent", about = "the close from vwap" } },
    { "volume", number { unit = "base", about = "traded since the anchor" } },
    { "bars", count { unit = "bars", about = "since the anchor" } },
  },
  compute = function(w, p)
    local opened = w.time:final()                       -- of the last bar: at midnight the day that just ended
    local bars = w.time:ge(anchor_of(opened, p.anchor)):sum()
    local since = w:last(bars)
    local volume, value = since.volume:sum(), since.quote_volume:sum()
    local why = missing(volume) and "volume_missing" or missing(value) and "quote_volume_missing"
      or volume == 0 and "zero_volume"
    if why then
      local gone = null(why)
      return { vwap = gone, upper = gone, lower = gone, deviation = gone, z_score = gone, distance = gone,
               volume = missing(volume) and gone or volume, bars = bars }
    end
    local vwap = value / volume
    -- A bar without trades has no mean price; its weight is 0.
    local prices = since.volume:gt(0):where(since.quote_volume / since.volume, vwap)
    local deviation = math.sqrt((since.volume * (prices - vwap):square()):sum() / volume)
    local away = w.close:final() - vwap
    return {
      vwap      = vwap,
      upper     = vwap + p.width * deviation,
      lower     = vwap - p.width * deviation,
      deviation = deviation,
      -- One bar, or one price: what rounding leaves is no deviation.
      z_score   = missing(away) and null("missing") or deviation > 1e-12 * vwap and away / deviation or null("flat"),
      distance  = missing(away) and null("missing") or 100 * away / vwap,
      volume    = volume,
      bars      = bars,
    }
  end,
}
