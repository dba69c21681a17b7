--- Alerts: one function that says nothing or a message, and the outputs that are made of it.
local petrosa = require "petrosa"

local function alert(when, extra)
  return petrosa.load(([[
return alert {
  api = 1, name = "x", about = "for a spec", %s
  needs = { candles = { span = "1d", min = 2 } },
  params = { k = int { default = 1 } },
  when = function(m, p, w)
    %s
  end,
}]]):format(extra or "", when), "x.lua")
end

local function run(when, input)
  return assert(alert(when)):run(input or { close = { 1, 2 } })
end

describe("an alert", function()
  it("is declared with the outputs that all alerts have", function()
    local d = assert(alert("return nil", 'every = { "1h" },')):declaration()
    assert.equal("alert", d.kind)
    assert.equal("data", d.shape)
    assert.same({ "1h" }, d.every)
    assert.same({ { name = "fired", type = "text", words = { "yes", "no" }, about = "whether it fires at this bar" },
                  { name = "message", type = "text", about = "what it says when it fires" } }, d.outputs)
  end)

  it("fires with a message", function()
    local result = run('return "closed at " .. w.close:final()')
    assert.same({ fired = "yes", message = "closed at 2" }, result.data)
    assert.same({}, result.metadata.reasons)
  end)

  it("is quiet with nothing", function()
    local result = run("return nil")
    assert.same({ fired = "no" }, result.data)
    assert.same({ message = "quiet" }, result.metadata.reasons)
    assert.same({ fired = "no" }, run("").data)
  end)

  it("says that it cannot tell: not the same as quiet", function()
    local result = run('return null("no_volume")')
    assert.same({}, result.data)
    assert.same({ fired = "no_volume", message = "no_volume" }, result.metadata.reasons)
    local short = run('return "never"', { close = { 1 } })
    assert.equal("warming", short.status)
    assert.same({}, short.data)
  end)

  it("gets metrics, parameters and a window", function()
    local script = assert(petrosa.load([[
return alert {
  api = 1, name = "x", about = "for a spec", needs = { metrics = { "volume", "trend" } }, params = { most = number { default = 2 } },
  when = function(m, p, w)
    if not m.volume then return null("no_volume") end
    return not w and m.volume.volume_spike_ratio > p.most and "a spike of " .. m.volume.volume_spike_ratio or nil
  end,
}]], "x.lua"))
    local function said(spike, most)
      return script:run({ close = { 1 }, params = { most = most }, metrics = { volume = { volume_spike_ratio = spike } } }).data
    end
    assert.same({ fired = "yes", message = "a spike of 3" }, said(3))
    assert.same({ fired = "no" }, said(1.5))
    assert.same({ fired = "yes", message = "a spike of 1.5" }, said(1.5, 1))
    assert.same({ fired = "no_volume", message = "no_volume" }, script:run({ close = { 1 }, metrics = {} }).metadata.reasons)
  end)

  it("that gives something else is an error at its line", function()
    for given, words in pairs { ["5"] = "got 5", ['""'] = 'got ""', ["{}"] = "got a table", ["w.close"] = "got a userdata",
                                ["true"] = "got true", ['("x"):rep(401)'] = "got \"xxxx" } do
      local result = run("return " .. given)
      assert.equal("error", result.status)
      assert.equal(5, result.metadata.error.line)
      local message = result.metadata.error.message
      assert.is_truthy(message:find("when: must give nil, a message of 1 to 400 bytes, or null(\"reason\"), ", 1, true), message)
      assert.is_truthy(message:find(words, 1, true), message)
      assert.same({}, result.data)
    end
    assert.equal("yes", run('return ("x"):rep(400)').data.fired)
    local broken = run('return "\\255"')
    assert.equal(5, broken.metadata.error.line)
    assert.is_truthy(broken.metadata.error.message:find("UTF-8", 1, true))
    assert.equal(6, run("return w.close:nothing()").metadata.error.line)
  end)

  it("does not say what all alerts say, and needs something", function()
    for extra, words in pairs { ["outputs = { x = 'quote' },"] = 'alert: unknown field "outputs"', ['shape = "data",'] = 'unknown field "shape"',
                                ["compute = function() end,"] = 'unknown field "compute"' } do
      local script, why = alert("", extra)
      assert.is_nil(script)
      assert.is_truthy(why:find(words, 1, true), why)
    end
    local _, why = petrosa.load('return alert { api = 1, name = "x", about = "y", needs = {}, when = function() end }', "x.lua")
    assert.is_truthy(why:find("x.lua:1: needs: must name candles", 1, true), why)
    _, why = petrosa.load('return alert {\n  api = 1, name = "x", about = "y", needs = { candles = { span = "1d" } },\n  when = 5,\n}', "x.lua")
    assert.is_truthy(why:find("x.lua:3: when: must be a function, got 5", 1, true), why)
  end)
end)

describe("a value that is none of the words", function()
  it("is an error at the line of the function of the file", function()
    local script = assert(petrosa.load([[
return regime {
  api = 1, name = "x", about = "for a spec", needs = { metrics = { "volatility" } },
  outputs = { state = text { words = { "calm", "rough" } } },

  classify = function()
    return { state = "wild" }
  end,
}]], "x.lua"))
    local fault = script:run({ close = { 1 }, metrics = { volatility = {} } }).metadata.error
    assert.equal(5, fault.line)
    assert.equal("output state: 'wild' is none of its words", fault.message)
  end)
end)
