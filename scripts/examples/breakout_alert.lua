--- breakout_alert: says so when a bar closes outside the range of the bars before it, on high volume.
--
-- A new high of the last 20 bars alone is often taken back; with a volume well above the usual one it is worth a look. An alert
-- that needs two things is quiet as soon as one of them is not so, and cannot tell only where the other one decides.
-- Teaches: alerts, the results of another script (volume), the bars before the last one.
--
-- Source: R. Donchian's four-week rule, 1960; 20 bars as the Turtles traded it: C. Faith, "Way of the Turtle", 2007.
return alert {
  api    = 1,
  name   = "breakout_alert",
  about  = "a close above the highest high or below the lowest low of the bars before, on high volume",
  method = "channel breakout (Donchian 1960)",
  every  = { "1h", "1d" },
  needs  = {
    candles = {
      span = "1d",
      bars = function(p) return math.max(24, 2 * (p.length + 1)) end,   -- also where bars are missing
      min  = function(p) return p.length + 1 end,
    },
    metrics = { "volume" },
  },
  params = {
    length = int { default = 20, min = 2, max = 1000, unit = "bars", about = "bars before the last one that make the range" },
    volume = number { default = 1.5, min = 0, max = 1000, unit = "ratio", about = "least volume_spike_ratio: last bar / median" },
  },
  when = function(m, p, w)
    local before, close = w:last(p.length + 1), w.close:final()
    local high, low = before.high:first(p.length):max(), before.low:first(p.length):min()
    if missing(close) or missing(high) or missing(low) then return null("missing") end
    if close <= high and close >= low then return nil end

    local spike = m.volume and m.volume.volume_spike_ratio
    if not spike then return null("no_volume") end
    if spike < p.volume then return nil end
    return ("closed at %.10g, %s the %.10g of the %d bars before, on %.2f times the usual volume"):format(
      close, close > high and "above" or "below", close > high and high or low, p.length, spike)
  end,
}
