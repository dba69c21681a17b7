--- regime: what kind of market this is, in one of eight words, from volatility, volume and trend.
--
-- Each of the three is read as a level, and a table of rules gives the word. Volatility is high or low against its own
-- last 90 days, and only where it is so in absolute terms too: a market that is asleep has no high volatility. The label
-- is of this one window; the API adds how long it has held.
--
-- mode = legacy takes the fixed thresholds of the system before this one (annualised volatility 0.5 / 0.2, volume 1.5 /
-- 0.7, rate of change 2 / -2) so that the two can be compared. The order of the rules is ours in both: in the old order
-- breakout_phase stood before the two accelerations, which could not be reached.
local confidence = require "confidence"
local given      = require "given"

local YEAR = 365 * 86400 -- seconds; crypto never closes
local WIDTH = 20         -- bars of volatility's rolling deviation, as volatility has it by default
local HISTORY = 100      -- rolling deviations that make a percentile worth reading
local ROBUST = 1.4826    -- times the MAD: sigma, for normal values
local UNIFORM = 0.2887   -- deviation of a percentile: 1 / sqrt(12)

-- ---- levels ------------------------------------------------------------------------------------------

local function volatility_level(x, p)
  if p.mode == "legacy" then return x.annualized > 0.5 and "high" or x.annualized < 0.2 and "low" or "medium" end
  if x.percentile >= p.high_percentile and x.annualized > p.high_floor then return "high" end
  if x.percentile <= p.low_percentile and x.annualized < p.low_ceiling then return "low" end
  return "medium"
end

local function volume_level(x, p)
  local high, low = p.high_volume, p.low_volume
  if p.mode == "legacy" then high, low = 1.5, 0.7 end
  return x.spike > high and "high" or x.spike < low and "low" or "medium"
end

local function trend_direction(x, p)
  local by, bound = x.t, p.trend_t
  if p.mode == "legacy" then by, bound = x.roc, 2 end
  return by > bound and "bullish" or by < -bound and "bearish" or "neutral"
end

-- what each is read from
local NEEDS = {
  adaptive = { volatility_level = { "percentile", "annualized" }, volume_level = { "spike" }, trend_direction = { "t" } },
  legacy   = { volatility_level = { "annualized" }, volume_level = { "spike" }, trend_direction = { "roc" } },
}

-- ---- inputs ------------------------------------------------------------------------------------------

--- t of the slope. A line that fits exactly has none; then its sign decides, infinitely sure.
local function slope_t(trend)
  if trend.slope_t or not trend.slope then return trend.slope_t end
  return trend.slope == 0 and 0 or trend.slope > 0 and math.huge or -math.huge
end

--- The numbers, nil where there is none, and why. Floors are of a year of the calendar, whatever volatility annualises by;
--- the old thresholds are held against what it gives.
local function inputs_of(m, p, w, rolling)
  local volatility, volume, trend = m.volatility or {}, m.volume or {}, m.trend or {}
  local enough = rolling:count() >= HISTORY
  local sd = volatility.rolling_stddev
  local x = {
    percentile = enough and volatility.percentile or nil,
    annualized = sd and sd * math.sqrt(YEAR / w.seconds),
    spike = volume.volume_spike_ratio, t = slope_t(trend), roc = trend.rate_of_change,
  }
  if p.mode == "legacy" then x.annualized = volatility.annualized end
  return x, {
    percentile = volatility.percentile and not enough and "too_few" or "no_volatility",
    annualized = "no_volatility", spike = "no_volume", t = "no_trend", roc = "no_trend",
  }
end

--- Bounds that cross would make two words of one number.
local function check(p)
  for _, pair in ipairs { { "low_percentile", "high_percentile" }, { "low_volume", "high_volume" } } do
    local low, high = p[pair[1]], p[pair[2]]
    if low > high then error(("%s = %g is above %s = %g: it must not be"):format(pair[1], low, pair[2], high)) end
  end
end

--- The level's word, or null with the reason of the first number that it lacks.
local function read(word_of, level, x, why, p)
  for _, name in ipairs(NEEDS[p.mode][level]) do
    if not x[name] then return null(why[name]) end
  end
  return word_of(x, p)
end

-- ---- boundaries --------------------------------------------------------------------------------------

local function spread(v)
  return ROBUST * v:mad()
end

--- The window's own spike ratios: each bar against the median of the bars before it, as many as volume looks at.
local function spikes(w)
  local before = math.max(24, math.ceil(86400 / w.seconds)) - 1
  return w.volume / w.volume:rolling_median(before):shift(1)
end

--- A dispersion that is worked out when the first boundary asks for it.
local function once(work_out)
  local value
  return function()
    value = value or work_out()
    return value
  end
end

local function edges_of(p, w, rolling)
  local wide = once(function() return spread(rolling:log()) end)
  local burst = once(function() return spread(spikes(w):log()) end)
  if p.mode == "legacy" then
    local move = spread(w.close:roc(10))
    return {
      { input = "annualized", at = 0.5, scale = wide, log = true }, { input = "annualized", at = 0.2, scale = wide, log = true },
      { input = "spike", at = 1.5, scale = burst, log = true }, { input = "spike", at = 0.7, scale = burst, log = true },
      { input = "roc", at = 2, scale = move }, { input = "roc", at = -2, scale = move },
    }
  end
  return {
    { input = "percentile", at = p.high_percentile, scale = UNIFORM }, { input = "percentile", at = p.low_percentile, scale = UNIFORM },
    { input = "annualized", at = p.high_floor, scale = wide, log = true },
    { input = "annualized", at = p.low_ceiling, scale = wide, log = true },
    { input = "spike", at = p.high_volume, scale = burst, log = true }, { input = "spike", at = p.low_volume, scale = burst, log = true },
    { input = "t", at = p.trend_t, scale = 1 }, { input = "t", at = -p.trend_t, scale = 1 },
  }
end

return regime {
  api    = 1,
  name   = "regime",
  about  = "one of eight market regimes, by the levels of volatility and volume and the direction of the trend",
  method = "decision_table",
  every  = { "1h", "1d" },
  -- the window of volatility, for the dispersion of the inputs and for rows and completeness
  needs  = { metrics = { "volatility", "volume", "trend" }, candles = { span = "90d", bars = 120, min = 21 } },
  params = {
    mode            = enum { "adaptive", "legacy", default = "adaptive",
                             about = "thresholds from the market's own history, or the fixed ones of the former system" },
    high_percentile = number { default = 0.7, min = 0, max = 1, unit = "ratio", about = "volatility is high from here on" },
    low_percentile  = number { default = 0.3, min = 0, max = 1, unit = "ratio", about = "volatility is low up to here" },
    high_floor      = number { default = 0.2, min = 0.0001, max = 100, unit = "ratio", about = "and only above this, a year" },
    low_ceiling     = number { default = 1.5, min = 0.0001, max = 100, unit = "ratio", about = "and only below this, a year" },
    high_volume     = number { default = 1.5, min = 0.0001, max = 1000, unit = "ratio", about = "volume is high above this spike ratio" },
    low_volume      = number { default = 0.7, min = 0.0001, max = 1000, unit = "ratio", about = "volume is low below this spike ratio" },
    trend_t         = number { default = 2, min = 0, max = 100, unit = "sd", about = "a trend when |slope_t| is above this" },
  },
  outputs = {
    { "regime", text { words = { "bullish_acceleration", "bearish_acceleration", "turbulent_illiquidity", "stable_accumulation",
                                 "breakout_phase", "consolidation", "balanced_market", "transitional", "unknown" },
                       about = "what kind of market this is; unknown where a level is missing" } },
    { "volatility_level", text { words = { "high", "medium", "low" }, about = "of volatility against its own history" } },
    { "volume_level", text { words = { "high", "medium", "low" }, about = "of the last bar's volume against the day before it" } },
    { "trend_direction", text { words = { "bullish", "bearish", "neutral" }, about = "of the last 20 closes" } },
    { "confidence", number { unit = "ratio", about = "0.5 at the nearest boundary that changes the regime, towards 1 far from it" } },
    { "volatility_percentile", number { unit = "ratio", about = "input: share of the span's deviations not above the current one" } },
    { "annualized", number { unit = "ratio", about = "input: volatility a year" } },
    { "volume_spike_ratio", number { unit = "ratio", about = "input: last bar / median of the bars before it" } },
    { "slope_t", number { unit = "sd", about = "input: t of the slope of the last 20 closes" } },
    { "rate_of_change", number { unit = "percent", about = "input in legacy mode: change over 10 bars" } },
  },
  levels = { "volatility_level", "volume_level", "trend_direction" },
  rules  = {
    { volatility_level = "high", volume_level = "high", trend_direction = "bullish", gives = "bullish_acceleration" },
    { volatility_level = "high", volume_level = "high", trend_direction = "bearish", gives = "bearish_acceleration" },
    { volatility_level = "high", volume_level = "low", gives = "turbulent_illiquidity" },
    { volatility_level = "low", volume_level = "high", gives = "stable_accumulation" },
    { volatility_level = "high", volume_level = "high", gives = "breakout_phase",
      behind = { "bullish_acceleration", "bearish_acceleration" } },
    { volatility_level = "low", volume_level = "low", gives = "consolidation" },
    { volatility_level = "medium", volume_level = "medium", gives = "balanced_market" },
    { gives = "transitional", otherwise = true },
  },
  classify = function(m, p, w, decide)
    check(p)
    local rolling = w:simple_returns():sub(2):rolling_std(WIDTH):sub(WIDTH)
    local x, why = inputs_of(m, p, w, rolling)
    local levels = {
      volatility_level = read(volatility_level, "volatility_level", x, why, p),
      volume_level     = read(volume_level, "volume_level", x, why, p),
      trend_direction  = read(trend_direction, "trend_direction", x, why, p),
    }
    local label = decide(levels)
    local trend = m.trend or {}
    local out = {
      regime = label, volatility_level = levels.volatility_level, volume_level = levels.volume_level,
      trend_direction = levels.trend_direction,
      confidence            = null("unknown"),
      volatility_percentile = given(x.percentile, why.percentile),
      annualized            = given(x.annualized, why.annualized),
      volume_spike_ratio    = given(x.spike, why.spike),
      slope_t               = given(trend.slope_t, trend.slope and "straight" or why.t),
      rate_of_change        = given(x.roc, why.roc),
    }
    if label ~= "unknown" then
      out.confidence = given(confidence(x, edges_of(p, w, rolling), function(moved)
        levels.volatility_level = volatility_level(moved, p)
        levels.volume_level, levels.trend_direction = volume_level(moved, p), trend_direction(moved, p)
        return decide(levels)
      end))
    end
    return out
  end,
}
