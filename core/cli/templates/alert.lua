--- NAME: says so when something happens.
-- An example to change. Run it:   petrosa eval FILE --pair BTCUSDT --period 1h
-- Its spec:                       petrosa test FILE
-- At every bar of the past:       petrosa replay FILE --pair BTCUSDT --period 1h
return alert {
  api   = 1,
  name  = "NAME",       -- GET /analysis/NAME, analytics_SYMBOL_NAME
  about = "the last bar has an unusual volume",
  every = { "1h" },     -- computed whenever such a bar closes; the other periods on request

  -- The closed bars that it looks at, and the scripts whose results it wants, for the same moment.
  needs = { candles = { span = "1h" }, metrics = { "volume" } },

  -- What can be set: ?ratio=5, --param ratio=5, ratio = 5 in the configuration ([alert NAME]).
  params = {
    ratio = number { default = 3, min = 1, max = 100, unit = "ratio", about = "least volume / median before it" },
  },

  -- m.volume is what volume.lua gave; nil when it failed, and so is an output of it that is null.
  -- nil is quiet, a text fires, null("reason") cannot tell. The outputs of every alert are fired and message.
  when = function(m, p, w)
    local ratio = m.volume and m.volume.volume_spike_ratio
    if not ratio then return null("no_volume") end
    if ratio < p.ratio then return nil end
    return ("%.1f times the usual volume, closed at %.8g"):format(ratio, w.close:final())
  end,
}
