--- hidden: a table that whoever requires it can write to.
return { last = nil }
