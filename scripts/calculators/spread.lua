--- spread: what it costs to trade at once, and how much the book holds near the middle.
local given = require "given"

local BANDS  = { 5, 10, 25, 50, 100 }      -- basis points on each side of the middle
local ORDERS = { 1000, 10000, 100000 }     -- size of an order, quote units
local BARS   = 24                          -- returns that the liquidity figures look at

-- a level on the edge of a band is inside, an order filled to the last digit is filled: prices and quantities are
-- decimals, what is made of them is not exact
local EDGE = 1e-12

--- Quantity of a side within `bp` of the middle, and whether its levels reach that far.
local function band(price, quantity, mid, bp)
  local sum, edge = 0, bp * mid
  for i = 1, #price do
    if math.abs(price:get(i) - mid) * 1e4 > edge * (1 + EDGE) then break end
    sum = sum + quantity:get(i)
  end
  return sum, math.abs(price:final() - mid) * 1e4 >= edge * (1 - EDGE)
end

local function bands(b, mid)
  local out = {}
  for _, bp in ipairs(BANDS) do
    local bid, bids_reach = band(b.bid_price, b.bid_quantity, mid, bp)
    local ask, asks_reach = band(b.ask_price, b.ask_quantity, mid, bp)
    out[bp] = { bid = bid, ask = ask, covered = bids_reach and asks_reach }
  end
  return out
end

--- Mean price of taking `amount` from a side, and the share of it that the side can fill.
-- worth: the amount is quote units, else base units.
local function fill(price, quantity, amount, worth)
  local left, base, value = amount, 0, 0
  for i = 1, #price do
    local p, q = price:get(i), quantity:get(i)
    local whole = worth and p * q or q
    if whole >= left then q = worth and left / p or left end
    base, value, left = base + q, value + q * p, left - whole
    if left <= amount * EDGE then return value / base, 1 end
  end
  return value / base, 1 - left / amount
end

local function slippage(b, mid)
  local out = {}
  for _, order in ipairs(ORDERS) do
    local ask, buy_fill = fill(b.ask_price, b.ask_quantity, order, true)
    local bid, sell_fill = fill(b.bid_price, b.bid_quantity, order, true)
    out[order] = {
      buy  = buy_fill > 0 and (ask - mid) / mid * 100 or null("zero_quantity"),
      sell = sell_fill > 0 and (mid - bid) / mid * 100 or null("zero_quantity"),
      buy_fill = buy_fill, sell_fill = sell_fill,
    }
  end
  return out
end

--- (bid - ask) / (bid + ask) of the quantities of the first n levels.
local function imbalance(b, n)
  local bid, ask = b.bid_quantity:first(n):sum(), b.ask_quantity:first(n):sum()
  return bid + ask > 0 and (bid - ask) / (bid + ask) or null("zero_quantity")
end

local function microprice(b)
  local bid, ask = b.bid_quantity:get(1), b.ask_quantity:get(1)
  if bid + ask == 0 then return null("zero_quantity") end
  return (b.ask_price:get(1) * bid + b.bid_price:get(1) * ask) / (bid + ask)
end

--- Amivest ratio and Amihud's illiquidity, over the bars that have a return and a value; half of them must be there.
local function liquidity(w)
  local r, quote = w:log_returns():abs(), w.quote_volume
  local returns, pairs_there, traded, value, moved, impact = 0, 0, 0, 0, 0, 0
  for i = 1, #r do
    local x, q = r:get(i), quote:get(i)
    if not missing(x) then
      returns = returns + 1
      if not missing(q) then
        pairs_there, value, moved = pairs_there + 1, value + q, moved + x
        if q > 0 then traded, impact = traded + 1, impact + x / q end
      end
    end
  end
  local why = returns < BARS / 2 and "too_few" or pairs_there < BARS / 2 and "quote_volume_missing"
  if why then return null(why), null(why) end
  return moved > 0 and value / moved or null("flat"), traded >= BARS / 2 and impact / traded or null("zero_volume")
end

-- what needs the levels of the newest book
local OF_BOOK = {
  "bid_ask_spread", "mid_price", "spread_percentage", "market_depth_bid", "market_depth_ask", "depth_bp", "slippage_estimate",
  "slippage", "order_book_imbalance", "order_book_imbalance_5", "order_book_imbalance_20", "microprice",
}

local function of_book(b)
  local out = {}
  if #b.bid_price == 0 then -- messages were lost: the newest row is a break
    for _, name in ipairs(OF_BOOK) do out[name] = null("no_book") end
    return out
  end
  local bid, ask = b.bid_price:get(1), b.ask_price:get(1)
  local mid = (bid + ask) / 2
  local depth = bands(b, mid)
  local one, filled = fill(b.ask_price, b.ask_quantity, 1, false)
  out.bid_ask_spread          = ask - bid
  out.mid_price               = mid
  out.spread_percentage       = (ask - bid) / mid * 100
  out.market_depth_bid        = depth[100].bid
  out.market_depth_ask        = depth[100].ask
  out.depth_bp                = depth
  out.slippage_estimate       = filled == 1 and (one - mid) / mid * 100 or null("too_thin")
  out.slippage                = slippage(b, mid)
  out.order_book_imbalance    = imbalance(b, 10)
  out.order_book_imbalance_5  = imbalance(b, 5)
  out.order_book_imbalance_20 = imbalance(b, 20)
  out.microprice              = microprice(b)
  return out
end

return calculator {
  api    = 1,
  name   = "spread",
  about  = "spread, depth, slippage and imbalance of the newest order book, and the spread of the last hour",
  method = "order book snapshot",
  every  = { "1h" },
  needs  = {
    books   = { span = "1h", max_age = "5s", breaks = true },
    candles = { span = "25h", period = "1h" }, -- 24 returns
  },
  outputs = {
    { "bid_ask_spread", number { unit = "quote", about = "best ask less best bid" } },
    { "mid_price", number { unit = "quote", about = "middle of best bid and best ask" } },
    { "spread_percentage", number { unit = "percent", about = "spread / middle" } },
    { "market_depth_bid", number { unit = "base", about = "bid within 1 % of the middle, as far as the levels reach" } },
    { "market_depth_ask", number { unit = "base", about = "asked within 1 % of the middle, as far as the levels reach" } },
    { "depth_bp", map { keys = { "5", "10", "25", "50", "100" }, about = "within so many basis points of the middle",
      fields = {
        { "bid", number { unit = "base", about = "bid" } },
        { "ask", number { unit = "base", about = "asked" } },
        { "covered", bool { about = "the stored levels of both sides reach that far" } },
      } } },
    { "slippage_estimate", number { unit = "percent", about = "mean price of buying one base unit, from the middle" } },
    { "slippage", map { keys = { "1000", "10000", "100000" }, about = "cost of an order of so many quote units, from the middle",
      fields = {
        { "buy", number { unit = "percent", about = "mean price of what was bought, above the middle" } },
        { "buy_fill", number { unit = "ratio", about = "share that the stored levels can fill" } },
        { "sell", number { unit = "percent", about = "mean price of what was sold, below the middle" } },
        { "sell_fill", number { unit = "ratio", about = "share that the stored levels can fill" } },
      } } },
    { "order_book_imbalance", number { unit = "ratio", about = "(bid - asked) / both, 10 levels, -1 .. 1" } },
    { "order_book_imbalance_5", number { unit = "ratio", about = "of 5 levels" } },
    { "order_book_imbalance_20", number { unit = "ratio", about = "of 20 levels" } },
    { "microprice", number { unit = "quote", about = "best prices weighted by the other side's quantity" } },
    { "liquidity_ratio", number { unit = "quote", about = "Amivest: traded value / sum of absolute returns, the last 24 hours" } },
    { "amihud", number { unit = "none", about = "Amihud: mean of absolute return / traded value, the last 24 hours" } },
    { "spread_time_weighted", number { unit = "quote", about = "mean spread of the span, each book by how long it stood, at most 60 s" } },
    { "spread_p95", number { unit = "quote", about = "spread that was not exceeded in 95 % of that time" } },
  },
  compute = function(w)
    local b, out = w.books, of_book(w.books)
    local spread, stood = b.best_ask - b.best_bid, b:stood(60)
    out.liquidity_ratio, out.amihud = liquidity(w)
    out.spread_time_weighted = given(spread:dot(stood) / stood:sum())
    out.spread_p95           = given(spread:weighted_quantile(stood, 0.95))
    return out
  end,
}
