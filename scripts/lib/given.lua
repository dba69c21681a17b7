--- given: a value, or the reason why there is none.
-- given(x) is x, or null("too_few") where x is missing; given(x, "flat") says another word.
return function(x, reason)
  if missing(x) then return null(reason or "too_few") end
  return x
end
