--- NAME: mean return of the last closes, and where the newest of them stands.
-- An example to change. Run it:   petrosa eval FILE --pair BTCUSDT --period 1h
-- Its spec:                       petrosa test FILE
-- At every bar of the past:       petrosa replay FILE --pair BTCUSDT --period 1h
return calculator {
  api   = 1,
  name  = "NAME",       -- GET /analysis/NAME, analytics_SYMBOL_NAME, [calculator NAME] in petrosa.conf
  about = "mean return of the last closes, and the distance of the newest from their mean",
  every = { "1h" },     -- computed whenever such a bar closes; the other periods on request

  -- How far it looks back: at least this much time and so many bars. Fewer than `min` bars: status "warming".
  needs = { candles = {
    span = "7d",
    bars = function(p) return p.window end,
    min  = function(p) return p.window end,
  } },

  -- What can be set: ?window=50, --param window=50, window = 50 in the configuration.
  params = {
    window = int { default = 20, min = 2, max = 5000, unit = "bars", about = "closes looked at" },
  },

  -- What it gives. Units: quote base percent bp ratio sd bars count seconds none.
  outputs = {
    { "mean_return", number { unit = "ratio", about = "mean return of a bar over the window" } },
    { "distance", number { unit = "sd", about = "distance of the last close from the mean of the window" } },
  },

  -- A pure function of the window: the same bars always give the same numbers. Vectors have methods that run in C;
  -- what cannot be had is null("why"), never 0.
  compute = function(w, p)
    local close = w.close:last(p.window)
    local sd = close:std()
    return {
      mean_return = w:simple_returns():last(p.window):mean(),
      distance    = sd > 0 and (close:final() - close:mean()) / sd or null("flat"),
    }
  end,
}
