-- Entries in the order of their keys, as many as fit an answer.
-- KEYS: revision, mark, entries, names
-- ARGV: lower bound, upper bound (as ZRANGEBYLEX has them), most entries, most bytes
-- Answers {revision, mark, 1 if there may be more, {key, entry, key, entry, …}}.
local revision, mark, entries, names = unpack(KEYS)
local lower, upper, most, most_bytes = unpack(ARGV)
local found = redis.call('ZRANGEBYLEX', names, lower, upper, 'LIMIT', 0, most)
local more = 0
if #found == tonumber(most) then more = 1 end
local rows, bytes = {}, 0
for place, name in ipairs(found) do
  local entry = redis.call('HGET', entries, name)
  if not entry then return redis.error_reply('ERR nearfront: a name without an entry') end
  bytes = bytes + #entry
  if bytes > tonumber(most_bytes) and place > 1 then
    more = 1
    break
  end
  rows[#rows + 1] = name
  rows[#rows + 1] = entry
end
return {redis.call('GET', revision) or '0', redis.call('GET', mark) or '', more, rows}
