--- volume_profile: at which prices was traded, where most, and between which prices the bulk.
--
-- The range of the window is cut into rows of equal height. A bar says how much was traded between its low and its
-- high, not where between them: its volume is spread evenly over its range. The value area grows from the fullest row,
-- each time by the fuller of its two neighbours, until it holds `share` percent of the volume.
-- Teaches: a list as output, and a loop over bars where a vector for each row would take a lot of memory.
--
-- Source: J. P. Steidlmayer, Market Profile, Chicago Board of Trade 1984; value area of 70 % (one deviation, nearly).

--- Row of a price: the one whose lower edge it is at or above; the last one holds its upper edge too.
local function row_of(price, low, height, rows)
  local k = math.min(math.max(math.floor((price - low) / height) + 1, 1), rows)
  if k > 1 and price < low + (k - 1) * height then k = k - 1 end     -- the division has rounded
  if k < rows and price >= low + k * height then k = k + 1 end
  return k
end

--- Volume of each row: of each bar the part of its range that lies in the row.
local function fill(w, low, height, rows)
  local profile = vec.new(rows)
  for i = 1, w.n do
    local top, bottom, volume = w.high:get(i), w.low:get(i), w.volume:get(i)
    local first, last = row_of(bottom, low, height, rows), row_of(top, low, height, rows)
    if top == bottom then profile:set(first, profile:get(first) + volume) end   -- all was traded at one price
    for k = first, top > bottom and last or 0 do
      local part = math.min(top, low + k * height) - math.max(bottom, low + (k - 1) * height)
      profile:set(k, profile:get(k) + volume * part / (top - bottom))
    end
  end
  return profile
end

--- First and last row of the value area around row `at`.
local function value_area(profile, at, wanted)
  local rows, first, last, held = #profile, at, at, profile:get(at)
  while held < wanted and (first > 1 or last < rows) do
    local down = first > 1 and profile:get(first - 1) or -1
    local up = last < rows and profile:get(last + 1) or -1
    if up >= down then last, held = last + 1, held + up else first, held = first - 1, held + down end
  end
  return first, last
end

return calculator {
  api     = 1,
  name    = "volume_profile",
  about   = "volume by price: the fullest price, the value area, and the whole profile",
  method  = "volume profile (Steidlmayer 1984)",
  every   = { "1h" },
  needs   = { candles = { span = "7d", bars = 24, min = 10 } },
  params  = {
    rows  = int { default = 24, min = 4, max = 400, unit = "count", about = "rows that the range is cut into" },
    share = number { default = 70, min = 1, max = 100, unit = "percent", about = "of the volume in the value area" },
  },
  outputs = {
    { "point_of_control", number { unit = "quote", about = "middle of the row with most volume" } },
    { "value_area_high", number { unit = "quote", about = "upper edge of the value area" } },
    { "value_area_low", number { unit = "quote", about = "lower edge of the value area" } },
    { "control_share", number { unit = "percent", about = "of the volume in the fullest row" } },
    { "position", text { words = { "above", "inside", "below" }, about = "the last close to the value area" } },
    { "low", number { unit = "quote", about = "lower edge of the first row: the lowest low" } },
    { "row_height", number { unit = "quote", about = "of one row" } },
    { "profile", list { unit = "base", about = "volume of each row, the lowest price first" } },
  },
  compute = function(w, p)
    local total, low, high = w.volume:sum(), w.low:min(), w.high:max()
    local why = missing(total) and "volume_missing" or total == 0 and "zero_volume"
      or w.high:count() + w.low:count() < 2 * w.n and "missing" or high == low and "flat"
    if why then
      local gone = null(why)
      return { point_of_control = gone, value_area_high = gone, value_area_low = gone, control_share = gone,
               position = gone, low = gone, row_height = gone, profile = gone }
    end
    local height = (high - low) / p.rows
    local profile = fill(w, low, height, p.rows)
    local at = profile:argmax()
    local first, last = value_area(profile, at, p.share / 100 * total)
    local top, bottom, close = low + last * height, low + (first - 1) * height, w.close:final()
    return {
      point_of_control = low + (at - 0.5) * height,
      value_area_high  = top,
      value_area_low   = bottom,
      control_share    = 100 * profile:get(at) / total,
      position         = missing(close) and null("missing")
        or close > top and "above" or close < bottom and "below" or "inside",
      low              = low,
      row_height       = height,
      profile          = profile,
    }
  end,
}
