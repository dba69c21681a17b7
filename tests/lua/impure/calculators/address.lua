-- impure: takes a number from an address
-- expect: 10 bad argument #1 to 'tonumber'
return calculator {
  api = 1,
  name = "address",
  about = "takes a number from an address",
  needs = { candles = { span = "2d", min = 2 } },
  outputs = { { "x", "none" } },
  compute = function(w)
    local address = tonumber(tostring({}):match("0x(%x+)"), 16)
    return { x = w.n + address % 7 }
  end,
}
