--- zscore: bars that are far from the mean of all the others, measured by their standard deviation.
--
-- A bar is held against the window without it: among n bars no one can be more than (n - 1) / sqrt(n) standard deviations
-- away from a mean that it takes part in, so a short window would never find anything. What is left out is never taken away
-- from a sum again (a huge bar would leave rounding behind): sums run up to a bar from both sides.
--
-- Source: F. Grubbs, "Procedures for Detecting Outlying Observations in Samples", Technometrics 11, 1969.
local field = require "field"

--- Mean and standard deviation of the other elements, one for each. Two plain loops: one for both ways is compiled badly.
local function others(x)
  local n, there, centre = #x, x:count(), x:median() -- sums of distances from the middle lose no digits
  local count, sum, squares = vec.new(n, there), vec.new(n), vec.new(n)
  local s, q = 0, 0
  for i = 1, n do
    sum:set(i, s)
    squares:set(i, q)
    local d = x:get(i) - centre
    if not missing(d) then
      count:set(i, there - 1)
      s, q = s + d, q + d * d
    end
  end
  s, q = 0, 0
  for i = n, 1, -1 do
    sum:set(i, sum:get(i) + s)
    squares:set(i, squares:get(i) + q)
    local d = x:get(i) - centre
    if not missing(d) then s, q = s + d, q + d * d end
  end
  local mean = sum / count
  return centre + mean, ((squares - sum * mean) / (count - 1)):sqrt()
end

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
    local mean, deviation = others(x)
    return { score = (x - mean):abs() / deviation, expected = mean, observed = x }
  end,
}
