--- field: the column that a detector looks at, one element a bar.
-- field.param is the parameter, field.of(w, p.field) the vector; missing where a bar, or the one before it, has no number.
return {
  param = enum { "log_return", "close", "log_volume", "range", default = "log_return",
                 about = "what is looked at: ln(C / C before), the close, ln V, or (H - L) / L" },
  of = function(w, name)
    if name == "close" then return w.close end
    if name == "log_volume" then return w.volume:log() end -- missing in a bar without volume
    if name == "range" then return (w.high - w.low) / w.low end
    return w:log_returns()
  end,
}
