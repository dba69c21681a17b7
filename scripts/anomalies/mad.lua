--- mad: bars that are far from the median, measured by the median absolute deviation.
--
-- Half of the bars may be anything without moving either, so an outlier cannot hide behind itself, nor behind another one:
-- where returns of five standard deviations are planted in a walk, the standard deviation that they swell misses some, the
-- MAD none. Where more than half of the bars are the same the MAD is 0 and says nothing; then the mean absolute deviation
-- from the median stands in for it. Both are scaled to be a standard deviation where the bars are normal.
--
-- Source: B. Iglewicz, D. Hoaglin, "How to Detect and Handle Outliers", 1993: the modified z-score and its cut of 3.5.
local field = require "field"

local NORMAL = 0.6745 -- MAD / standard deviation of the normal distribution
local NORMAL_MEAN = 0.7979 -- mean absolute deviation / standard deviation: sqrt(2 / pi)

return anomaly {
  api     = 1,
  name    = "mad",
  about   = "bars far from the median of the window, in median absolute deviations",
  method  = "modified z-score (Iglewicz, Hoaglin 1993)",
  every   = { "1h", "1d" },
  needs   = field.needs,
  params  = {
    threshold   = number { default = 3.5, min = 0.1, max = 1000, unit = "sd", about = "a score above this is a hit" },
    field       = field.param,
    window_days = field.window_days,
  },
  detect  = function(w, p)
    local x = field.of(w, p.field)
    local mad, median = x:mad()
    if missing(mad) then return null("too_few") end
    local distance, scale = (x - median):abs(), mad / NORMAL
    if mad == 0 then scale = distance:mean() / NORMAL_MEAN end
    if scale == 0 then return null("flat") end
    return { score = distance / scale, expected = median, observed = x }
  end,
}
