--- isolation_forest: bars whose price, volume and range together are like those of no other bar.
--
-- A forest is grown on the 30 days before the bars that are looked at, so that no bar is judged by itself or by what came
-- after it. Its trees cut at random places of random features until rows are alone; what is alone after few cuts stands
-- apart. That takes several features at once: a tick that reverts, a crash on high volume. What is extreme in one feature
-- only, such as a burst of volume in which nothing moves, is cut off by few of the cuts and stays below 0.65: mad finds it.
--
-- Source: F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation Forest", ICDM 2008.

local DAY, HOURS = 86400, 168 -- seconds; hours of a week
local DAYS, FIT_DAYS = 7, 30
local AVERAGE = 20 -- bars of the moving statistics
local LEAST = 200 -- rows to fit on
local LEAST_BARS = LEAST + AVERAGE - 1 -- before the first of them the moving statistics have too few bars
local FIT_BARS = LEAST_BARS + 31 -- a bar without volume costs two rows: a few of them must not silence a year of days
local TREES, SAMPLES, SEED = 100, 256, 42
local AUTO = 0.5 + 0.15 -- 0.5 is a row as near to the others as they are to one another; the margin leaves quiet months alone
local NORMAL, NORMAL_MEAN = 1.4826, 0.7979 -- standard deviation / MAD, mean absolute deviation / standard deviation: of the normal one
local SHARES = { 0.99, 0.995, 0.999 } -- of the scores that were fitted on: above these medium, high, critical

local function scored_days(p) return p.window_days > 0 and p.window_days or DAYS end
local function scored_bars(p, seconds) return math.ceil(scored_days(p) * DAY / seconds) end
local function fit_bars(seconds) return math.max(math.ceil(FIT_DAYS * DAY / seconds), FIT_BARS) end

-- The first bar that opens at or after a moment.
local function first_from(w, moment)
  local i = w.n + 1
  while i > 1 and w.time:get(i - 1) >= moment do i = i - 1 end
  return i
end

-- v less the mean of the first n elements that are of the same hour of the week. An hour that is not among them: missing.
local function less_hour_of_week(w, v, n)
  local hour = 24 * w:day_of_week() + w:hour_of_day()
  local groups, mean, usual = v:first(n):group(hour:first(n), HOURS), {}, vec.new(#v)
  for k = 1, HOURS do
    local there = groups[k]:compact()
    mean[k] = there:sum() / #there
  end
  for i = 1, #v do usual:set(i, mean[hour:get(i) + 1]) end
  return v - usual
end

local NAMES = { "close_to_sma", "volume_of_hour", "volatility", "log_return", "log_volume_change", "high_low_ratio",
                "close", "volume", "close_deviation", "price_change", "volume_change" }

-- name, vector, ... : one row a bar. Zero volume has no logarithm, a bar behind a hole no return: such rows are left out.
local FEATURES = {
  standard = function(w, fitted)
    local r, log_volume = w:log_returns(), w.volume:log()
    return {
      { "close_to_sma", w.close / w.close:sma(AVERAGE) - 1 },
      { "volume_of_hour", less_hour_of_week(w, log_volume, fitted) },
      { "volatility", r:rolling_std(AVERAGE) },
      { "log_return", r },
      { "log_volume_change", log_volume:diff() },
      { "high_low_ratio", (w.high - w.low) / w.low },
    }
  end,
  legacy = function(w)
    return {
      { "close", w.close },
      { "volume", w.volume },
      { "close_deviation", w.close:rolling_std(AVERAGE) },
      { "price_change", w:simple_returns() },
      { "volume_change", w.volume / w.volume:shift() - 1 },
      { "high_low_ratio", (w.high - w.low) / w.low },
    }
  end,
}

-- Beside each feature the median of the first n elements, and their robust standard deviation: 0 or missing where there is none.
local function measure(features, n)
  for _, feature in ipairs(features) do
    local v = feature[2]:first(n)
    local mad, median = v:mad()
    feature.median, feature.sd = median, mad == 0 and v:mean_deviation(median) / NORMAL_MEAN or NORMAL * mad
  end
end

-- What tells bar i: each feature with its distance from the median; the farthest one is what was not expected.
local function explain(hit, features, i)
  local far = -1
  hit.features, hit.contributions = {}, {}
  for _, feature in ipairs(features) do
    local name, x = feature[1], feature[2]:get(i)
    local distance = feature.sd > 0 and (x - feature.median) / feature.sd or nil
    hit.features[name], hit.contributions[name] = x, distance
    if distance and math.abs(distance) > far then far, hit.expected, hit.observed = math.abs(distance), feature.median, x end
  end
  return hit
end

return anomaly {
  api     = 1,
  name    = "isolation_forest",
  about   = "bars that stand apart from the 30 days before in price, volume and range together",
  method  = "isolation forest (Liu, Ting, Zhou 2008), 100 trees of 256 rows",
  needs   = { candles = {
    span = "37d",
    bars = function(p, seconds) return scored_bars(p, seconds) + fit_bars(seconds) end,
    min  = function(p, seconds) return scored_bars(p, seconds) + LEAST_BARS end,
  } },
  params  = {
    window_days   = int { default = 0, min = 0, max = 365, about = "days that are looked at, held against the 30 before; 0: 7" },
    contamination = enum { "auto", "0.001", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", default = "auto",
                           about = "a hit is a score above 0.65 (auto), or one that this share of the 30 days is above" },
    threshold     = number { default = 0, min = 0, max = 1, unit = "none", about = "a score above this is a hit; 0: by contamination" },
    features      = enum { "standard", "legacy", default = "standard",
                           about = "what the forest sees; legacy: close, volume and their changes as they are" },
  },
  details = {
    { "volume", "base" },
    { "features", map { keys = NAMES, unit = "none", about = "what the forest saw" } },
    { "contributions", map { keys = NAMES, unit = "sd", about = "how far from the median of the 30 days, in robust standard deviations" } },
  },
  detect  = function(w, p)
    local from = w.as_of - scored_days(p) * DAY
    local skipped = first_from(w, from - fit_bars(w.seconds) * w.seconds) - 1
    local fitted = first_from(w, from) - 1 - skipped
    w = w:last(w.n - skipped)
    local features, columns = FEATURES[p.features](w, fitted), {}
    for i, feature in ipairs(features) do columns[i] = feature[2] end
    local scores, used = vec.isolation_forest(columns, fitted, TREES, SAMPLES, SEED)
    if used < LEAST then return null("too_few") end
    if scores:sub(fitted + 1):count() == 0 then return null("missing") end

    measure(features, fitted)
    local past, hits, threshold = scores:first(fitted):compact(), { cuts = {} }, p.threshold
    for i, share in ipairs(SHARES) do hits.cuts[i] = past:quantile(share) end
    if threshold == 0 then threshold = p.contamination == "auto" and AUTO or past:quantile(1 - tonumber(p.contamination)) end
    for i = fitted + 1, w.n do
      if scores:get(i) > threshold then
        hits[#hits + 1] = explain({ bar = skipped + i, score = scores:get(i), threshold = threshold, reason = "ml_outlier",
                                    volume = w.volume:get(i) }, features, i)
      end
    end
    hits.score = missing(scores:final()) and null("missing") or scores:final()
    return hits
  end,
}
