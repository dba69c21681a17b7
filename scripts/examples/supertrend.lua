--- supertrend: a stop that follows the price at a distance of its range, and the side it is on (Seban's SuperTrend).
--
-- Two bands lie `multiplier` average true ranges above and below the middle of each bar. The lower one only rises and
-- the upper one only falls until a close breaks through it; then the trend turns and the other band becomes the line.
-- Teaches: a recursion that no method says is a plain loop over v:get(i); LuaJIT compiles it.
--
-- Source: O. Seban, "Tout le monde mérite d'être riche", 2008; average true range: J. W. Wilder, 1978. The side before
-- the first turn is a convention (down, as in most charts); bars_since_turn is null while nothing has turned.
local given = require "given"

--- The line in each bar is the upper band (side -1) or the lower one (side 1).
local function follow(w, p)
  local close, middle = w.close, (w.high + w.low) / 2
  local reach = p.multiplier * w:atr(p.length)
  local above, below = middle + reach, middle - reach
  local upper, lower, side, turned, before
  for i = 1, #close do
    local price, a, b = close:get(i), above:get(i), below:get(i)
    if not (missing(price) or missing(a)) then
      if not side then
        upper, lower, side = a, b, -1
      else
        if a < upper or before > upper then upper = a end
        if b > lower or before < lower then lower = b end
        local now = side < 0 and price > upper and 1 or side > 0 and price < lower and -1 or side
        if now ~= side then side, turned = now, i end
      end
      before = price
    end
  end
  return side and (side > 0 and lower or upper), side, turned
end

return calculator {
  api     = 1,
  name    = "supertrend",
  about   = "a trailing stop of average true ranges, the side it is on, and when it last turned",
  method  = "SuperTrend (Seban 2008)",
  every   = { "1h", "1d" },
  needs   = { candles = {
    span = "30d",
    bars = function(p) return math.max(120, 10 * p.length) end,   -- long enough to forget where it began
    min  = function(p) return p.length + 2 end,
  } },
  params  = {
    length     = int { default = 10, min = 1, max = 500, unit = "bars", about = "bars of the average true range" },
    multiplier = number { default = 3, min = 0.1, max = 20, unit = "ratio", about = "average true ranges to the bands" },
  },
  outputs = {
    { "supertrend", number { unit = "quote", about = "the line: a stop below the price while it is up, else above" } },
    { "direction", text { words = { "up", "down" }, about = "the side: up while the line is below" } },
    { "distance", number { unit = "percent", about = "of the close from the line; above the line is positive" } },
    { "bars_since_turn", count { unit = "bars", about = "0 on the bar that turned" } },
  },
  compute = function(w, p)
    if missing(w.close:final()) or missing(w.high:final() - w.low:final()) then
      local gone = null("missing")
      return { supertrend = gone, direction = gone, distance = gone, bars_since_turn = gone }
    end
    local line, side, turned = follow(w, p)
    return {
      supertrend      = given(line),
      direction       = side and (side > 0 and "up" or "down") or null("too_few"),
      distance        = line and 100 * (w.close:final() / line - 1) or null("too_few"),
      bars_since_turn = turned and w.n - turned or null(side and "no_turn" or "too_few"),
    }
  end,
}
