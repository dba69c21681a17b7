--- moving_avg: bars that are far from the mean of the 20 bars before them, measured by the standard deviation of those.
--
-- A local measure: it follows a market that moves or calms down, and so flags many bars (two standard deviations of twenty
-- bars are passed by one bar in fifteen). The bar itself takes no part in what it is held against.
--
-- Source: W. Shewhart, "Economic Control of Quality of Manufactured Product", 1931: limits from the observations before.
local field = require "field"

local WIDTH = 20

return anomaly {
  api    = 1,
  name   = "moving_avg",
  about  = "bars far from the mean of the 20 bars before them, in standard deviations of those",
  method = "moving average of 20 bars",
  needs  = field.needs,
  params = {
    threshold   = number { default = 2, min = 0.1, max = 1000, unit = "sd", about = "a score above this is a hit" },
    field       = field.param,
    window_days = field.window_days,
  },
  detect = function(w, p)
    local x = field.of(w, p.field)
    local sd = x:std()
    if missing(sd) then return null("too_few") end
    if sd == 0 then return null("flat") end
    local mean, deviation = x:rolling_mean(WIDTH):shift(), x:rolling_std(WIDTH):shift() -- each needs 10 values
    return { score = (x - mean):abs() / deviation, expected = mean, observed = x }
  end,
}
