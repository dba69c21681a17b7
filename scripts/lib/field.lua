--- field: the column that a detector looks at, one element a bar, and the window it is held against.
-- field.param is the parameter, field.of(w, p.field) the vector; missing where a bar, or the one before it, has no number.
-- field.needs is the window, whose length the parameter field.window_days sets.
return {
  needs = { candles = { span = "7d", days = "window_days", bars = 200, min = 30 } },
  window_days = int { default = 0, min = 0, max = 366, about = "length of the window in days; 0: 7, and at least 200 bars" },
  param = enum { "log_return", "close", "log_volume", "range", default = "log_return",
                 about = "what is looked at: ln(C / C before), the close, ln V, or (H - L) / L" },
  of = function(w, name)
    if name == "close" then return w.close end
    if name == "log_volume" then return w.volume:log() end -- missing in a bar without volume
    if name == "range" then return (w.high - w.low) / w.low end
    return w:log_returns()
  end,
}
