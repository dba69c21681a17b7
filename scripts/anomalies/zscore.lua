--- zscore: bars that are far from the mean of all the others, measured by their standard deviation.
--
-- A bar is held against the window without it: among n bars no one can be more than (n - 1) / sqrt(n) standard deviations
-- away from a mean that it takes part in, so a short window would never find anything.
--
-- Source: F. Grubbs, "Procedures for Detecting Outlying Observations in Samples", Technometrics 11, 1969.
local field = require "field"

return anomaly {
  api    = 1,
  name   = "zscore",
  about  = "bars far from the mean of the window without them, in standard deviations",
  method = "z-score, leave-one-out (Grubbs 1969)",
  needs  = field.needs,
  params = {
    threshold   = number { default = 3, min = 0.1, max = 1000, unit = "sd", about = "a score above this is a hit" },
    field       = field.param,
    window_days = field.window_days,
  },
  detect = function(w, p)
    local x = field.of(w, p.field)
    local sd = x:std()
    if missing(sd) then return null("too_few") end
    if sd == 0 then return null("flat") end
    local mean, deviation = x:leave_one_out()
    return { score = (x - mean):abs() / deviation, expected = mean, observed = x }
  end,
}
