--- NAME: a word for how the market moves, made from the results of other scripts.
-- An example to change. Run it:   petrosa eval FILE --pair BTCUSDT --period 1h
-- Its spec:                       petrosa test FILE
-- At every bar of the past:       petrosa replay FILE --pair BTCUSDT --period 1h
return regime {
  api   = 1,
  name  = "NAME",       -- GET /analysis/NAME, analytics_SYMBOL_NAME
  about = "calm, rough or between, by the place of the volatility in its own history",
  every = { "1h" },     -- computed whenever such a bar closes; the other periods on request

  -- The scripts whose results it wants, for the same symbol, period and moment.
  needs = { metrics = { "volatility" } },

  -- What can be set: ?rough=0.8, --param rough=0.8, rough = 0.8 in the configuration.
  params = {
    calm  = number { default = 0.3, min = 0, max = 1, unit = "ratio", about = "up to this place it is calm" },
    rough = number { default = 0.7, min = 0, max = 1, unit = "ratio", about = "from this place on it is rough" },
  },

  outputs = {
    { "state", text { words = { "calm", "rough", "between" }, about = "how the market moves" } },
  },

  -- (Words that depend on several words are a table of rules: see scripts/README.md.)
  -- m.volatility is what volatility.lua gave; nil when it failed, and so is an output of it that is null.
  classify = function(m, p)
    local place = m.volatility and m.volatility.percentile
    if not place then return { state = null("no_volatility") } end
    return { state = place >= p.rough and "rough" or place <= p.calm and "calm" or "between" }
  end,
}
