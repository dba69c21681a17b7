--- confidence: how sure a label is that boundaries have made.
--
-- 1 - exp(-d) / 2, where d is the distance to the nearest boundary that would change the label, in units of how much its
-- input usually varies: 0.5 at the boundary, near 1 far from it. A boundary counts when the label is another one with its
-- input moved just beyond it and the other inputs as they are.
--
--   confidence(inputs, edges, label)
--     inputs   { name = number }
--     edges    list of { input = name, at = boundary, scale = number [, log = true] }; log: distances are of logarithms
--     label    function(inputs) -> word
--
-- Gives NaN where the scale of a boundary that counts is missing. A scale of 0 (the input never varies) makes the distance
-- infinite, except at the boundary itself.
local BEYOND = 1e-9 -- share of boundary or scale: more than rounding, less than anything that is measured

--- How far beyond the boundary an input is moved.
local function step_of(edge)
  local size = math.abs(edge.at)
  if not edge.log and edge.scale > size then size = edge.scale end -- not where it is missing
  return BEYOND * (size > 0 and size or 1)
end

local function distance(edge, x)
  if x == edge.at then return 0 end
  local away = edge.log and math.log(x) - math.log(edge.at) or x - edge.at
  return math.abs(away) / edge.scale
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
    if counts and missing(edge.scale) then return edge.scale end
    if counts then nearest = math.min(nearest, distance(edge, x)) end
  end
  return 1 - math.exp(-nearest) / 2
end
