--- funding_basis: what it costs to hold a perpetual future, and how far it trades from its index.
--
-- A perpetual future never settles; what holds it to the index is the funding that one side pays the other every few hours.
-- Positive rates and a positive basis: those who are long pay, the crowd is long. The interval is taken from the payments
-- themselves, as exchanges shorten it in wild markets.
-- Teaches: rows that are no bars (funding payments, mark prices), each in a span of its own, that may not be there.
--
-- Source: S. He, A. Manela, O. Ross, V. von Wachter, "Fundamentals of Perpetual Futures", arXiv 2212.06888 (2022).
local given = require "given"

local DAY, YEAR = 86400, 365

--- Seconds between two payments: the middle one of the last few steps, to the minute (they come some ms late).
local function interval_of(time)
  return math.floor(time:diff():compact():last(5):median() / 60 + 0.5) * 60
end

--- Basis points that marks are above their index.
local function basis_of(marks)
  return 1e4 * (marks.mark_price / marks.index_price - 1)
end

return calculator {
  api     = 1,
  name    = "funding_basis",
  about   = "funding of a perpetual future, a year, against its own history, and its basis to the index",
  method  = "simple annualisation; mark / index - 1 (He et al. 2022)",
  every   = { "1h" },
  needs   = {
    candles = { span = "1h" },                            -- a bar says when; nothing is asked of it
    funding = { span = "30d" },
    marks   = { span = "1h" },
  },
  outputs = {
    { "rate", number { unit = "ratio", about = "the last payment, of one interval; positive: long pays short" } },
    { "interval", count { unit = "seconds", about = "between payments, by the last of them" } },
    { "annualized", number { unit = "percent", about = "the last rate, all year, not compounded" } },
    { "mean_annualized", number { unit = "percent", about = "what was paid in the span, as a year, not compounded" } },
    { "paid", number { unit = "percent", about = "sum of the rates of the span: what a long position paid" } },
    { "z_score", number { unit = "sd", about = "the last rate among those before it" } },
    { "positive_share", number { unit = "percent", about = "of the payments that long positions paid" } },
    { "payments", count { about = "in the span" } },
    { "basis", number { unit = "bp", about = "last mark price above the index price" } },
    { "mean_basis", number { unit = "bp", about = "its mean over the last hour's marks" } },
  },
  compute = function(w)
    local funding, marks = w.funding, w.marks
    local rate, n = funding.rate, funding.n
    local last, before = rate:final(), rate:first(math.max(n - 1, 0))
    local interval = interval_of(funding.time)
    local none = n == 0 and "no_funding"
    local mean, sd = before:mean(), before:std()
    local basis, bare = basis_of(marks), marks.n == 0 and "no_marks" or "index_missing"
    return {
      rate            = given(last, none),
      interval        = given(interval, none),
      annualized      = given(100 * last * DAY / interval * YEAR, none),
      -- The first payment of the span was for the interval before it: it is paid, but no time of ours.
      mean_annualized = given(100 * rate:sub(math.min(2, n + 1)):sum() / (funding.time:final() - funding.time:first(1):final())
                              * DAY * YEAR, none),
      paid            = n == 0 and null("no_funding") or 100 * rate:sum(),
      z_score         = given((last - mean) / sd, none or sd == 0 and "flat"),
      positive_share  = given(100 * rate:gt(0):mean(), none),
      payments        = n,
      basis           = given(basis:final(), bare),
      mean_basis      = given(basis:mean(), bare),
    }
  end,
}
