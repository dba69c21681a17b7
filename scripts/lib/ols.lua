--- ols: least squares of y on some columns and a constant.
-- ols(y, { x1, x2, ... }) gives coefficients { b1, b2, ... }, the constant, R squared and the rows used; rows in which
-- anything is missing are left out. nil, "too_few" when there are fewer than k + 2 rows; nil, "collinear" when a column
-- is made of the others (or does not vary). Normal equations of deviations from the means, elimination with pivots:
-- good for a handful of columns of like size.

--- Solves a (k rows of k + 1) in place; nil when a pivot is nothing beside the variance that its column began with.
local function eliminate(a, k)
  local scale = {}
  for i = 1, k do scale[i] = a[i][i] end
  for c = 1, k do
    local best = c
    for r = c + 1, k do
      if math.abs(a[r][c]) > math.abs(a[best][c]) then best = r end
    end
    a[c], a[best] = a[best], a[c]
    if math.abs(a[c][c]) <= 1e-12 * scale[c] then return nil end
    for r = 1, k do
      local factor = r ~= c and a[r][c] / a[c][c] or 0
      for j = c, k + 1 do a[r][j] = a[r][j] - factor * a[c][j] end
    end
  end
  local out = {}
  for i = 1, k do out[i] = a[i][k + 1] / a[i][i] end
  return out
end

return function(y, columns)
  local k, whole = #columns, y - y                       -- 0 where all is there, else missing
  for i = 1, k do whole = whole + (columns[i] - columns[i]) end
  local used = whole:count()
  if used < k + 2 then return nil, "too_few" end
  local function deviations(v)
    local kept = (v + whole):compact()
    local mean = kept:mean()
    return kept - mean, mean
  end
  local dy, mean = deviations(y)
  local dx, means, a = {}, {}, {}
  for i = 1, k do dx[i], means[i] = deviations(columns[i]) end
  for i = 1, k do
    a[i] = {}
    for j = 1, k do a[i][j] = dx[i]:dot(dx[j]) end
    a[i][k + 1] = dx[i]:dot(dy)
  end
  local beta = eliminate(a, k)
  if not beta then return nil, "collinear" end
  local residual, constant = dy, mean
  for i = 1, k do
    residual = residual - beta[i] * dx[i]
    constant = constant - beta[i] * means[i]
  end
  return beta, constant, 1 - residual:dot(residual) / dy:dot(dy), used
end
