--- ichimoku: the five lines of the one-glance balance chart, and where the price is to its cloud (Hosoda).
--
-- Every line is the middle between the highest high and the lowest low of some bars. The cloud is drawn ahead of its
-- time: what stands at this bar was known `displacement` bars ago, and today's stands there that many bars from now.
-- The chart counts the bar itself as the first, so 26 bars ahead are 25 steps.
-- Teaches: parameters that size the window, and the past of a series by v:shift(k).
--
-- Source: G. Hosoda, "Ichimoku Kinko Hyo", 1969 (9, 26 and 52 bars: of markets with six trading days a week).
local given = require "given"

--- The middle of the range of the last n bars, one element a bar.
local function middle(w, n)
  local high, low = w:donchian(n)
  return (high + low) / 2
end

local function where_is(price, a, b)
  if missing(price) then return null("missing") end
  if missing(a + b) then return null("too_few") end
  return price > math.max(a, b) and "above" or price < math.min(a, b) and "below" or "inside"
end

return calculator {
  api     = 1,
  name    = "ichimoku",
  about   = "conversion, base and lagging line, the cloud at this bar and the cloud ahead",
  method  = "Ichimoku Kinko Hyo (Hosoda 1969)",
  every   = { "1h", "1d" },
  needs   = { candles = {
    span = "1d",
    bars = function(p) return 2 * (math.max(p.base, p.span) + p.displacement) end,   -- also where bars are missing
    min  = function(p) return math.max(p.conversion, p.base, p.span) end,
  } },
  params  = {
    conversion   = int { default = 9, min = 1, max = 500, unit = "bars", about = "tenkan: the fast middle" },
    base         = int { default = 26, min = 1, max = 500, unit = "bars", about = "kijun: the slow middle" },
    span         = int { default = 52, min = 1, max = 1000, unit = "bars", about = "senkou B: the slowest middle" },
    displacement = int { default = 26, min = 1, max = 500, unit = "bars",
                         about = "how far ahead the cloud is drawn; this bar is counted" },
  },
  outputs = {
    { "conversion", number { unit = "quote", about = "tenkan-sen: middle of the last 9 bars" } },
    { "base", number { unit = "quote", about = "kijun-sen: middle of the last 26 bars" } },
    { "leading_a", number { unit = "quote", about = "senkou span A at this bar: mean of the two, displaced" } },
    { "leading_b", number { unit = "quote", about = "senkou span B at this bar: middle of 52 bars, displaced" } },
    { "ahead_a", number { unit = "quote", about = "span A that is known today for the end of the cloud" } },
    { "ahead_b", number { unit = "quote", about = "span B that is known today for the end of the cloud" } },
    { "lagging", number { unit = "percent", about = "chikou: the close against the close that it is drawn over" } },
    { "position", text { words = { "above", "inside", "below" }, about = "the close to the cloud at this bar" } },
    { "signal", text { words = { "bullish", "bearish", "neutral" }, about = "conversion against base" } },
  },
  compute = function(w, p)
    local back = p.displacement - 1
    local conversion, base, b = middle(w, p.conversion), middle(w, p.base), middle(w, p.span)
    local a = (conversion + base) / 2
    local leading_a, leading_b = a:shift(back):final(), b:shift(back):final()
    local fast, slow, close = conversion:final(), base:final(), w.close:final()
    return {
      conversion = given(fast),
      base       = given(slow),
      leading_a  = given(leading_a),
      leading_b  = given(leading_b),
      ahead_a    = given(a:final()),
      ahead_b    = given(b:final()),
      lagging    = given(100 * (close / w.close:shift(back):final() - 1), missing(close) and "missing" or "too_few"),
      position   = where_is(close, leading_a, leading_b),
      signal     = missing(fast - slow) and null("too_few")
        or fast > slow and "bullish" or fast < slow and "bearish" or "neutral",
    }
  end,
}
