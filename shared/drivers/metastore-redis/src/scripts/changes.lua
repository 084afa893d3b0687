-- The log from one change on, that change included, as much as fits an answer.
-- KEYS: revision, log
-- ARGV: revision of the change, most changes, most bytes
-- Answers {revision, {{id, {'mark', …, 'writes', …}}, …}}.
local revision, log = unpack(KEYS)
local from, most, most_bytes = ARGV[1] .. '-0', tonumber(ARGV[2]), tonumber(ARGV[3])
local rows, bytes = {}, 0
while #rows < most do
  local some = redis.call('XRANGE', log, from, '+', 'COUNT', math.min(16, most - #rows))
  if #some == 0 then break end
  for _, change in ipairs(some) do
    bytes = bytes + #change[2][4]
    -- Two are always given: the first may be the one that the reader has.
    if bytes > most_bytes and #rows > 1 then most = 0 break end
    rows[#rows + 1] = change
    from = '(' .. change[1]
  end
end
return {redis.call('GET', revision) or '0', rows}
