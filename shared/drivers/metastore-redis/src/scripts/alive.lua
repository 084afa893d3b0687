-- The beats of these edges; ids without a beat are forgotten.
-- KEYS: ids of edges, edge, edge, … ARGV: id, id, …
local beats = {}
for place = 2, #KEYS do
  local beat = redis.call('GET', KEYS[place])
  if beat then beats[#beats + 1] = beat else redis.call('SREM', KEYS[1], ARGV[place - 1]) end
end
return beats
