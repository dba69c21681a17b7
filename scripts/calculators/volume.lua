--- volume: how much was traded in the last day, who was the aggressor, and whether the last bar stands out.
local given = require "given"

--- x / y, where both are there and y is not 0.
local function ratio(x, y, x_missing, y_missing, y_zero)
  if missing(x) then return null(x_missing) end
  if missing(y) then return null(y_missing) end
  return y ~= 0 and x / y or null(y_zero)
end

--- What takers bought and sold: from the bars when each of them says, else from single trades that cover the window.
local function aggressors(w)
  local buy = w.taker_buy_volume:sum()
  if not missing(buy) then
    return buy, (w.volume - w.taker_buy_volume):sum(), (2 * w.taker_buy_volume - w.volume):sum(), "volume_missing"
  end
  local bought, sold = w:signed_trades()
  if not bought then return nil, nil, nil, "taker_volume_missing" end
  return bought, sold, bought - sold
end

--- How far ln V of the last bar is from its median, in robust standard deviations.
local function zscore(volume)
  local last = volume:final()
  if missing(last) then return null("missing") end
  if last == 0 then return null("zero_volume") end
  local logs = volume:log() -- bars without volume have none
  local mad = logs:mad()
  if mad == 0 then return null("flat") end
  return given((math.log(last) - logs:median()) / (1.4826 * mad))
end

return calculator {
  api    = 1,
  name   = "volume",
  about  = "traded volume, taker buying and selling, and how unusual the last bar is",
  method = "aggregation",
  shape  = "values",
  every  = { "1h", "1d" },
  needs  = { candles = { span = "24h", bars = 24, min = 5, trades = true } },
  params = {},
  outputs = {
    { "total_volume", number { unit = "base", about = "sum over the window" } },
    { "volume_sma", number { unit = "base", about = "mean of the last 20 bars" } },
    { "volume_ema", number { unit = "base", about = "adjusted exponential mean, span 20, over the window" } },
    { "volume_delta", number { unit = "base", about = "taker buying less taker selling" } },
    { "buy_volume", number { unit = "base", about = "bought by takers" } },
    { "sell_volume", number { unit = "base", about = "sold by takers" } },
    { "delta_ratio", number { unit = "ratio", about = "volume_delta / total_volume, -1 .. 1" } },
    { "volume_spike_ratio", number { unit = "ratio", about = "last bar / median of the bars before it" } },
    { "volume_zscore", number { unit = "sd", about = "ln of the last bar from its median, in robust deviations" } },
    { "vwap", number { unit = "quote", about = "mean price weighted by volume" } },
    { "quote_volume", number { unit = "quote", about = "traded value" } },
    { "trades_per_bar", number { unit = "count", about = "mean number of trades of a bar" } },
    { "average_trade", number { unit = "base", about = "mean size of a trade" } },
  },
  compute = function(w)
    local volume, recent = w.volume, math.min(20, w.n)
    local total, value, trades = volume:sum(), w.quote_volume:sum(), w.trades:sum()
    local buy, sell, delta, why = aggressors(w)
    local enough = volume:count() >= w.n / 2
    return {
      total_volume       = given(total, "volume_missing"),
      volume_sma         = given(volume:last(recent):mean()),
      volume_ema         = enough and volume:ema_adjusted(recent):final() or null("too_few"),
      volume_delta       = given(delta, why),
      buy_volume         = given(buy, why),
      sell_volume        = given(sell, why),
      delta_ratio        = ratio(delta, total, why, "volume_missing", "zero_volume"),
      volume_spike_ratio = ratio(volume:final(), volume:first(w.n - 1):median(), "missing", "too_few", "zero_median"),
      volume_zscore      = zscore(volume),
      vwap               = ratio(value, total, "quote_volume_missing", "volume_missing", "zero_volume"),
      quote_volume       = given(value, "quote_volume_missing"),
      trades_per_bar     = given(trades / w.n, "trades_missing"),
      average_trade      = ratio(total, trades, "volume_missing", "trades_missing", "zero_trades"),
    }
  end,
}
