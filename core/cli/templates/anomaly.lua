--- NAME: bars that are not like the others.
-- An example to change. Run it:   petrosa eval FILE --pair BTCUSDT --period 1h     (all that it finds in the window)
-- Its spec:                       petrosa test FILE
-- At every bar of the past:       petrosa replay FILE --pair BTCUSDT --period 1h   (what it would have told, and when)
return anomaly {
  api    = 1,
  name   = "NAME",      -- analytics_SYMBOL_NAME; method=NAME where anomalies are asked for
  about  = "bars whose range is large beside those of the last week",
  every  = { "1h" },    -- scanned whenever such a bar closes; the other periods on request

  -- The closed bars that it looks at; with fewer than min the answer is null, status "warming".
  needs  = { candles = { span = "7d", bars = 200, min = 30 } },

  -- What can be set: &threshold=5, --param threshold=5, threshold = 5 in the configuration ([anomaly NAME]).
  params = {
    threshold = number { default = 4, min = 1, max = 100, unit = "ratio", about = "range / median range: above it a bar is a hit" },
  },

  -- How unusual each bar of the window is. A hit is where the score is above p.threshold; its severity follows from by how
  -- much, its direction from observed against expected. null("reason") cannot tell: that is not the same as nothing found.
  detect = function(w)
    local range = (w.high - w.low) / w.low
    local usual = range:median()
    if usual == 0 then return null("flat") end
    return { score = range / usual, expected = usual, observed = range, reason = "wide_range" }
  end,
}
