local support = require "tests.lua.scripts.support"

describe("vpin", function()
  local script = support.calculator("vpin")
  support.holds_for_every_calculator("vpin", "walk", { "5m" })

  --- Four days of 6 h bars with the same volume, and what takers bought of each.
  local function bars(share)
    local out = { period = "6h", close = {}, volume = {}, taker_buy_volume = {}, params = { per_day = 2, buckets = 3 } }
    for i = 1, 16 do out.close[i], out.volume[i], out.taker_buy_volume[i] = 1, 10, 10 * share(i) end
    return out
  end

  it("is 0 where takers buy and sell alike, 1 where they only sell", function()
    assert.equal(0, script:run(bars(function() return 0.5 end)).data.vpin)
    local sold = script:run(bars(function() return 0 end)).data
    assert.equal(1, sold.vpin)
    assert.equal(1, sold.percentile)
    assert.equal(20, sold.bucket_volume)                 -- 40 a day, two buckets
    assert.equal(7, sold.bucket_count)                   -- of eight, without the oldest
  end)

  it("nets what falls into one bucket, and only that", function()
    local data = script:run(bars(function(i) return i % 2 end)).data       -- two bars a bucket: buying and selling cancel
    assert.equal(0, data.vpin)
    data = script:run(bars(function(i) return i > 14 and 1 or i % 2 end)).data
    assert.equal(1, data.last_imbalance)
    assert.near(1 / 3, data.vpin, 1e-15)
  end)

  it("divides a bar that spans several buckets", function()
    local input = bars(function() return 0.75 end)
    input.params.per_day = 10                            -- 2.5 buckets a bar
    local data = script:run(input).data
    assert.near(0.5, data.vpin, 1e-12)
    assert.equal(39, data.bucket_count)
  end)

  it("counts the days of the bars that are there, across a hole", function()
    local series = support.series("gaps")
    local result = script:run(series)
    assert.equal("gap", result.status)
    assert.equal(math.ceil(50 * result.metadata.rows / 24) - 1, result.data.bucket_count)
  end)

  it("needs every volume: one that is missing leaves nothing to fill", function()
    local input = bars(function() return 0.5 end)
    input.taker_buy_volume[9] = 0 / 0
    local result = script:run(input)
    assert.equal("taker_volume_missing", result.metadata.reasons.vpin)
    assert.equal(20, result.data.bucket_volume)
    input.volume[9] = 0 / 0
    assert.equal("volume_missing", script:run(input).metadata.reasons.bucket_volume)
    assert.equal("zero_volume", script:run(support.series("silent")).metadata.reasons.vpin)
  end)

  it("says too_few while the buckets are, and is never warming", function()
    local input = bars(function() return 0.5 end)
    input.params.buckets = 8
    local result = script:run(input)
    assert.are_not.equal("warming", result.status)
    assert.equal("too_few", result.metadata.reasons.vpin)
    assert.equal(0, result.data.last_imbalance)
    input.params.buckets = 7
    assert.equal(0, script:run(input).data.vpin)
  end)
end)
