--- confidence: how sure a label is that boundaries have made.
--
-- 1 - exp(-d) / 2, where d is the distance to the nearest boundary that would change the label, in units of how much its
-- input usually varies: 0.5 at the boundary, near 1 far from it. A boundary counts when the label is another one with its
-- input moved just beyond it and the other inputs as they are.
--
--   confidence(inputs, edges, label)
--     inputs   { name = number }
--     edges    list of { input = name, at = boundary, scale = number or function() -> number [, log = true] };
--              log: distances are of logarithms. A function is asked only for a boundary that counts
--     label    function(inputs) -> word
--
-- Gives NaN where the scale of a boundary that counts is missing. A scale of 0 (the input never varies) makes the distance
-- infinite, except at the boundary itself.
local BEYOND = 1e-9 -- share of boundary or scale: more than rounding, less than anything that is measured

local function scale_of(edge)
  return type(edge.scale) == "function" and edge.scale() or edge.scale
end

--- How far beyond the boundary an input is moved.
local function step_of(edge)
  local size = math.abs(edge.at)
  if not edge.log then
    local scale = scale_of(edge)
    if scale > size then size = scale end -- not where it is missing
  end
  return BEYOND * (size > 0 and size or 1)
end

local function distance(edge, x, scale)
  if x == edge.at then return 0 end
  local away = edge.log and math.log(x) - math.log(edge.at) or x - edge.at
  return math.abs(away) / scale
end

return function(inputs, edges, label)
  local now, nearest = label(inputs), math.huge

  local function changes(edge, moved)
    local x = inputs[edge.input]
    inputs[edge.input] = moved
    local word = label(inputs)
    inputs[edge.input] = x
    return word ~= now
  end

  for _, edge in ipairs(edges) do
    local x, step = inputs[edge.input], step_of(edge)
    local counts = x <= edge.at and changes(edge, edge.at + step) or x >= edge.at and changes(edge, edge.at - step)
    if counts then
      local scale = scale_of(edge)
      if missing(scale) then return scale end
      nearest = math.min(nearest, distance(edge, x, scale))
    end
  end
  return 1 - math.exp(-nearest) / 2
end
