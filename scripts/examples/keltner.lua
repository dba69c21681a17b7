--- keltner: a channel of average true ranges around an exponential mean, and whether Bollinger's bands lie inside it.
--
-- Bollinger's bands widen with the deviation of closes, Keltner's with the range of bars. Where the former lie inside
-- the latter the market rests (a "squeeze"); what follows is often a move.
-- Teaches: rolling columns, masks, and counting how long a state lasts.
--
-- Source: C. Keltner, "How to Make Money in Commodities", 1960, as changed by L. Raschke (exponential mean, average
-- true range); squeeze: J. Carter, "Mastering the Trade", 2005.
local given = require "given"

--- How many of the last elements of a mask are 1, without a break; nil where the last one is missing.
local function run_of(mask)
  if missing(mask:final()) then return nil end
  local n = #mask
  for i = n, 1, -1 do
    if mask:get(i) ~= 1 then return n - i end
  end
  return n
end

return calculator {
  api     = 1,
  name    = "keltner",
  about   = "channel of average true ranges around an exponential mean, and the squeeze inside it",
  method  = "Keltner channel (Keltner 1960, Raschke)",
  every   = { "1h", "1d" },
  needs   = { candles = {
    span = "30d",
    bars = function(p) return math.max(120, 5 * math.max(p.length, p.range)) end,
    min  = function(p) return math.max(p.length, p.range + 1) end,
  } },
  params  = {
    length     = int { default = 20, min = 2, max = 1000, unit = "bars", about = "of the mean and of Bollinger's bands" },
    range      = int { default = 10, min = 1, max = 1000, unit = "bars", about = "of the average true range" },
    multiplier = number { default = 2, min = 0.1, max = 20, unit = "ratio", about = "average true ranges to the edges" },
  },
  outputs = {
    { "middle", number { unit = "quote", about = "exponential mean of the closes" } },
    { "upper", number { unit = "quote", about = "middle + multiplier average true ranges" } },
    { "lower", number { unit = "quote", about = "middle - multiplier average true ranges" } },
    { "width", number { unit = "ratio", about = "(upper - lower) / middle" } },
    { "position", number { unit = "ratio", about = "the close between lower (0) and upper (1)" } },
    { "squeeze", text { words = { "on", "off" }, about = "on while Bollinger's bands (2 sd) lie inside the channel" } },
    { "squeeze_bars", count { unit = "bars", about = "how long it has been on, within the window" } },
  },
  compute = function(w, p)
    local close = w.close
    local middle, reach = close:ema(p.length), p.multiplier * w:atr(p.range)
    local upper, lower = middle + reach, middle - reach
    local mean, sd = close:sma(p.length), close:rolling_std(p.length)
    local inside = (mean + 2 * sd):lt(upper) * (mean - 2 * sd):gt(lower)   -- 1 where both are; missing where one is
    local bars = run_of(inside)
    local m, u, l = middle:final(), upper:final(), lower:final()
    local why = missing(close:final()) and "missing" or "too_few"
    return {
      middle       = given(m, why),
      upper        = given(u, why),
      lower        = given(l, why),
      width        = given((u - l) / m, why),
      position     = given((close:final() - l) / (u - l), u == l and "flat" or why),
      squeeze      = bars and (bars > 0 and "on" or "off") or null(why),
      squeeze_bars = bars or null(why),
    }
  end,
}
