--- vpin: how one-sided the flow is, counted in volume and not in time (volume-synchronised probability of informed
--- trading).
--
-- Trading is cut into buckets of equal volume. In each, |bought - sold| by takers is the imbalance; VPIN is the mean
-- imbalance of the last `buckets` of them over the size of a bucket. 0: takers buy and sell alike; 1: one side only.
-- Teaches: a loop that walks bars in another measure than time, and the place of a value in its own history.
--
-- Source: D. Easley, M. Lopez de Prado, M. O'Hara, "Flow Toxicity and Liquidity in a High-Frequency World", Review of
-- Financial Studies 25 (2012). Two things are simpler here. They guess who was the aggressor from price changes (bulk
-- volume classification); the exchange says it, so nothing is guessed. A bar that spans several buckets is divided
-- between them in proportion, as if its buying and selling were even inside it: bars should hold much less than a
-- bucket, so take 1m or 5m. Buckets are filled backward from as_of, so the newest holds the newest trades; the
-- oldest, which may be cut, is left out.
local given = require "given"

local DAY = 86400

--- |bought - sold| of the newest `count` buckets of `size`, oldest first.
local function imbalances(w, size, count)
  local volume, delta, out = w.volume, 2 * w.taker_buy_volume - w.volume, vec.new(count)
  local at, room, signed = count, size, 0
  for i = w.n, 1, -1 do
    local left, slope = volume:get(i), delta:get(i) / volume:get(i)   -- a bar without volume is not looked at
    while left > 0 and at > 0 do
      local part = math.min(left, room)
      left, room, signed = left - part, room - part, signed + slope * part
      if room <= 0 then
        out:set(at, math.abs(signed))
        at, room, signed = at - 1, size, 0
      end
    end
  end
  return out
end

return calculator {
  api     = 1,
  name    = "vpin",
  about   = "one-sidedness of taker volume over buckets of equal volume",
  method  = "VPIN (Easley, Lopez de Prado & O'Hara 2012), taker volumes of bars",
  every   = { "5m" },
  needs   = { candles = { span = "7d" } },
  params  = {
    per_day = int { default = 50, min = 1, max = 1000, unit = "count", about = "buckets that a mean day fills" },
    buckets = int { default = 50, min = 2, max = 5000, unit = "count", about = "buckets that are averaged" },
  },
  outputs = {
    { "vpin", number { unit = "ratio", about = "mean imbalance / bucket size, 0 .. 1" } },
    { "percentile", number { unit = "ratio", about = "share of the window's values that are not above this one, 0 .. 1" } },
    { "last_imbalance", number { unit = "ratio", about = "of the newest bucket alone, 0 .. 1" } },
    { "bucket_volume", number { unit = "base", about = "size of a bucket: volume of a mean day / per_day" } },
    { "bucket_count", count { about = "whole buckets in the window" } },
  },
  compute = function(w, p)
    local total = w.volume:sum()
    local days = w.n * w.seconds / DAY                   -- of bars that are there
    local count = math.ceil(p.per_day * days) - 1
    local why = missing(total) and "volume_missing" or total == 0 and "zero_volume"
    local gone = null(why or "taker_volume_missing")
    if why or missing(w.taker_buy_volume:sum()) then
      return { vpin = gone, percentile = gone, last_imbalance = gone,
               bucket_volume = why and gone or total / days / p.per_day, bucket_count = why and gone or count }
    end
    local size = total / days / p.per_day
    local imbalance = imbalances(w, size, count) / size
    local series = imbalance:rolling_mean(p.buckets, p.buckets)
    return {
      vpin           = given(series:final()),
      percentile     = given(series:compact():rank(series:final())),
      last_imbalance = given(imbalance:final()),
      bucket_volume  = size,
      bucket_count   = count,
    }
  end,
}
