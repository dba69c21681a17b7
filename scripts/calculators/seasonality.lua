--- seasonality: what hours and weekdays have of their own, which cycles returns hold, how much order is in them.
--
-- An hour or weekday is that of a bar's open time, UTC. A mean of returns says little without its t (errors that allow
-- for memory, Newey & West 1987) and q (24 hours are 24 chances of a false find, Benjamini & Hochberg 1995). From 1d on
-- every bar opens in the same hour: there is no hourly map, and the last bar is held against all others.
local given = require "given"

local DAY = 86400

local NAMES = {} -- of buckets: "0" for the first
for i = 1, 24 do NAMES[i] = tostring(i - 1) end

--- One value a bucket, by its name "0", "1", ...; null where there are no bars.
local function by_name(values, sizes)
  local all = {}
  for i = 1, #values do all[NAMES[i]] = sizes:get(i) == 0 and null("empty") or given(values:get(i)) end
  return all
end

--- How much the values of each bucket spread.
local function spreads_of(groups)
  local all = {}
  for i, values in ipairs(groups) do all[NAMES[i]] = #values == 0 and null("empty") or given(values:std()) end
  return all
end

--- Mean return of each bucket in bp, and whether it can be told from 0.
local function returns_of(groups)
  local p, t, mean, used = vec.new(#groups), {}, {}, {}
  for i, values in ipairs(groups) do
    local chance
    t[i], chance, mean[i], used[i] = values:hac()
    p:set(i, chance)
  end
  local q, all = p:fdr(), {}
  for i, values in ipairs(groups) do
    local why = missing(mean[i]) and "too_few" or used[i] < 2 and "too_few" or "flat"
    all[NAMES[i]] = #values == 0 and null("empty") or
      { mean = given(mean[i]), n = used[i], t = given(t[i], why), q = given(q:get(i), why) }
  end
  return all
end

--- Peaks of the spectrum: the highest one's period when noise would hardly show it, and the first three.
local function cycles_of(returns, lost)
  local why = lost and "gaps" or returns:min() == returns:max() and "flat"
  if why then return null(why), null(why) end
  local period, power, p = returns:fill(0):cycles(3)
  local all = {}
  for i = 1, 3 do
    all[tostring(i)] = i > #period and null("no_peak") or { period = period:get(i), power = power:get(i), p = p:get(i) }
  end
  if #period == 0 or p:get(1) >= 0.01 then return null("no_cycle"), all end
  return math.floor(period:get(1) + 0.5), all
end

local TESTED = { { "mean", "bp" }, { "n", count { unit = "count" } }, { "t", "sd" }, { "q", "ratio" } }

return calculator {
  api    = 1,
  name   = "seasonality",
  about  = "prices, returns, volatility and volume by hour and weekday, cycles of the returns, and entropies",
  method = "seasonal_decomposition",
  shape  = "data",
  every  = { "1h" },
  needs  = { candles = { span = "90d", bars = 100, min = 100 } },
  params = {},
  outputs = {
    { "hourly_pattern", map { keys = "0..23", unit = "quote", about = "mean close by UTC hour" } },
    { "daily_pattern", map { keys = "0..6", unit = "quote", about = "mean close by weekday, Monday 0" } },
    { "hourly_return_bp", map { keys = "0..23", fields = TESTED,
      about = "log returns by hour: mean, number, Newey-West t, q of false discovery" } },
    { "hourly_volatility_bp", map { keys = "0..23", unit = "bp", about = "standard deviation of the log returns by hour" } },
    { "hourly_volume_share", map { keys = "0..23", unit = "ratio", about = "share of the volume by hour" } },
    { "weekday_return_bp", map { keys = "0..6", fields = TESTED, about = "log returns by weekday, Monday 0" } },
    { "seasonal_deviation", number { unit = "percent", about = "last close over the mean close of its own hour, less 1" } },
    { "seasonal_zscore", number { unit = "sd", about = "last log return among the others of its hour" } },
    { "dominant_cycle", count { unit = "bars",
      about = "period of the highest peak of the spectrum (Welch 1967), when p < 0.01 against AR(1) noise" } },
    { "cycles", map { keys = { "1", "2", "3" }, fields = { { "period", "bars" }, { "power", "ratio" }, { "p", "ratio" } },
      about = "the highest peaks: period, power over that of AR(1) noise, p" } },
    { "entropy_index", number { unit = "ratio", about = "Shannon entropy of the standardised returns, 50 bins, 0 .. 1" } },
    { "entropy_nats", number { unit = "none", about = "Shannon entropy of the closes, 50 bins, in nats" } },
    { "permutation_entropy", number { unit = "ratio", about = "of the order of 4 returns, 0 .. 1 (Bandt & Pompe 2002)" } },
  },
  compute = function(w)
    local close = w.close
    local hour, weekday = w:hour_of_day(), w:day_of_week()
    local last_hour = hour:final() + 1
    local closes, bars = close:group_mean(hour, 24)

    -- The first bar has no return. The spectrum sees the time grid, where a bar that is not there leaves two holes.
    local r = w:log_returns():sub(2)
    local r_bp = 1e4 * r
    local hourly_bp, daily_bp = r_bp:group(hour:sub(2), 24), r_bp:group(weekday:sub(2), 7)
    local cells = w:grid_log_returns()
    local lost = #cells - close:count() > 0.02 * #cells
    local few = r:count() < #r / 2 and "too_few"
    local flat = r:min() == r:max() and "flat"
    local cycle, cycles = cycles_of(cells:sub(2), lost)

    -- How unusual the last bar is for its hour.
    local last, usual = close:final(), closes:get(last_hour)
    local own = hourly_bp[last_hour]
    local others = own:first(math.max(#own - 1, 0))
    local sd = others:count() >= 10 and others:std() or 0 / 0
    local zscore = missing(r:final()) and null("missing") or missing(sd) and null("too_few") or
      sd == 0 and null("flat") or (r_bp:final() - others:mean()) / sd

    local volume = w.volume:sum()
    local shares = missing(volume) and null("volume_missing") or volume == 0 and null("zero_volume") or
      by_name(w.volume:group_sum(hour, 24) / volume, bars)

    local out = {
      hourly_pattern       = by_name(closes, bars),
      daily_pattern        = by_name(close:group_mean(weekday, 7)),
      hourly_return_bp     = returns_of(hourly_bp),
      hourly_volatility_bp = spreads_of(hourly_bp),
      hourly_volume_share  = shares,
      weekday_return_bp    = returns_of(daily_bp),
      seasonal_deviation   = missing(last) and null("missing") or given(100 * (last / usual - 1)),
      seasonal_zscore      = zscore,
      dominant_cycle       = cycle,
      cycles               = cycles,
      entropy_index        = few and null(few) or flat and null(flat) or
                             given(((r - r:mean()) / r:std()):entropy(50, -5, 5) / math.log(50)),
      entropy_nats         = given(close:entropy(50)),
      permutation_entropy  = few and null(few) or given(cells:permutation_entropy(4)),
    }
    if w.seconds >= DAY then
      for _, name in ipairs { "hourly_pattern", "hourly_return_bp", "hourly_volatility_bp", "hourly_volume_share" } do
        out[name] = null("no_hours")
      end
    end
    return out
  end,
}
