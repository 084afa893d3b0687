-- Which path wrk asks for next. Arguments after --: MODE PREFIX COUNT SEED
--   zipf   COUNT objects, drawn by Zipf's law with exponent 0.99
--   fresh  each request another object, numbered from SEED up
--   each   COUNT objects, one after the other, from the first again after the last
local made, drawn, at, mode, prefix, count
local DRAWN = 262144 -- a power of two

local function zipf(count, seed)
  math.randomseed(seed)
  local sums, sum = {}, 0
  for rank = 1, count do
    sum = sum + rank ^ -0.99
    sums[rank] = sum
  end
  local ranks = {}
  for draw = 1, DRAWN do
    local point, low, high = math.random() * sum, 1, count
    while low < high do
      local middle = math.floor((low + high) / 2)
      if sums[middle] < point then low = middle + 1 else high = middle end
    end
    ranks[draw] = low
  end
  return ranks
end

function init(arguments)
  mode, prefix, count = arguments[1], arguments[2], tonumber(arguments[3])
  at = 0
  if mode == "fresh" then
    at = tonumber(arguments[4])
    return
  end
  if count == 1 then
    -- The same request for ever: wrk then asks no function for it, and can load a fast server.
    wrk.path, request = prefix .. 1, nil
    return
  end
  made = {}
  for object = 1, count do made[object] = wrk.format("GET", prefix .. object) end
  if mode == "zipf" then drawn = zipf(count, tonumber(arguments[4])) end
end

function request()
  at = at + 1
  if mode == "fresh" then return wrk.format("GET", prefix .. at) end
  if mode == "zipf" then return made[drawn[at % DRAWN + 1]] end
  return made[(at - 1) % count + 1]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format("NUMBERS %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
