--- data_quality: bars that are wrong rather than unusual.
--
-- bad_tick    a close far from the one before that the next bar takes back: a market does not move like that, a feed does.
--             It is known one bar later.
-- stale_feed  no bar for longer than a few periods before this one.
-- zero_volume nothing was traded, in a market where that is rare; where it is common it is the market, not the data.
--
-- What only the feed's side can see (a crossed book, prices that contradict each other, clocks that differ, silence that
-- goes on) is found at ingest and logged beside these.
local ROBUST = 1.4826 -- times the MAD: sigma, for normal values
local NORMAL_MEAN = 0.7979 -- mean absolute deviation / standard deviation

--- The usual size of a return; 0 where nothing moves, NaN where there are too few.
local function usual(returns)
  local mad, median = returns:mad()
  if mad == 0 then return returns:mean_deviation(median) / NORMAL_MEAN end
  return ROBUST * mad
end

local function bad_ticks(w, p, returns, sigma, note)
  for i = 2, w.n - 1 do
    local there, back = returns:get(i), returns:get(i + 1)
    local score = math.abs(there) / sigma
    if score > p.tick and math.abs(there + back) <= (1 - p.undone) * math.abs(there) then -- false where either is missing
      note(i, { known = i + 1, score = score, threshold = p.tick, expected = w.close:get(i - 1), observed = w.close:get(i),
                severity = "high", reason = "bad_tick" })
    end
  end
end

local function silences(w, p, note)
  for i = 2, w.n do
    local bars = (w.time:get(i) - w.time:get(i - 1)) / w.seconds - 1
    if bars > p.silence then
      note(i, { score = bars, threshold = p.silence, expected = 0, observed = bars, severity = "medium", reason = "stale_feed" })
    end
  end
end

local function without_volume(w, p, note)
  local volume = w.volume
  local others, zeros = volume:count() - 1, 0
  for i = 1, w.n do
    if volume:get(i) == 0 then zeros = zeros + 1 end
  end
  if zeros == 0 or zeros - 1 > p.rare * others then return end
  for i = 1, w.n do
    if volume:get(i) == 0 then
      note(i, { score = 1, expected = volume:median(), observed = 0, severity = "low", reason = "zero_volume" })
    end
  end
end

return anomaly {
  api     = 1,
  name    = "data_quality",
  of      = "data_quality",
  about   = "bars that are wrong rather than unusual: ticks that the next bar takes back, silences, bars without volume",
  method  = "rules",
  every   = { "1h", "1d" },
  needs   = { candles = { span = "7d", days = "window_days", bars = 200, min = 30 } },
  params  = {
    tick        = number { default = 10, min = 1, max = 1000, unit = "sd", about = "a return above this may be a bad tick" },
    undone      = number { default = 0.8, min = 0, max = 1, unit = "ratio", about = "share of it that the next bar takes back, at least" },
    silence     = number { default = 3, min = 0, max = 10000, unit = "bars", about = "more bars missing than this is a silence" },
    rare        = number { default = 0.05, min = 0, max = 1, unit = "ratio",
                           about = "share of the other bars that may be without volume where it is told of one" },
    window_days = int { default = 0, min = 0, max = 366, about = "length of the window in days; 0: 7, and at least 200 bars" },
  },
  details = { { "also", text { about = "what else is wrong with the bar" } } },
  detect  = function(w, p)
    local returns, hits, by_bar = w:log_returns(), {}, {}
    local sigma = usual(returns)
    if missing(sigma) then return null("too_few") end
    local function note(bar, hit) -- the worst first; of one bar the others stand beside it
      local first = by_bar[bar]
      if first then
        first.also = (first.also and first.also .. " " or "") .. hit.reason
        return
      end
      hit.bar, by_bar[bar] = bar, hit
      hits[#hits + 1] = hit
    end
    if sigma > 0 then bad_ticks(w, p, returns, sigma, note) end
    silences(w, p, note)
    without_volume(w, p, note)
    return hits
  end,
}
