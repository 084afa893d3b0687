-- One commit: checks, then log, entries, revision and bell, or nothing at all.
-- KEYS: revision, mark, log, bytes of the log, entries, names, done
-- ARGV: mark of this commit, most changes kept, most bytes kept, channel, milliseconds to remember,
--       checks, writes (both as records: see wire.rs)
-- Answers {'done', revision} or {'failed', place of the check}.
local revision_key, mark_key, log, log_bytes, entries, names, done = unpack(KEYS)
local mark, most_changes, most_bytes, channel, remember, checks, writes = unpack(ARGV)
local RECORD = '>c1I4c0I4c0'

-- The same commit, sent again because its answer was lost.
local before = redis.call('GET', done)
if before then return {'done', before} end

local function any_under(prefix)
  local upto = '+'
  if prefix ~= '' then upto = '(' .. prefix .. '\255' end
  return redis.call('ZRANGEBYLEX', names, '[' .. prefix, upto, 'LIMIT', 0, 1)[1]
end

local function holds(kind, key, revision)
  if kind == 'N' then return not any_under(key) end
  if kind ~= 'V' then return (redis.call('HEXISTS', entries, key) == 1) == (kind == 'P') end
  local entry = redis.call('HGET', entries, key)
  return entry and entry:sub(1, #revision + 1) == revision .. ':'
end

local at, place = 1, 0
while at <= #checks do
  local kind, key, revision
  kind, key, revision, at = struct.unpack(RECORD, checks, at)
  if not holds(kind, key, revision) then return {'failed', place} end
  place = place + 1
end

-- First the log: should it disagree with the revision, it refuses before anything is written.
local revision = string.format('%.0f', tonumber(redis.call('GET', revision_key) or '0') + 1)
redis.call('XADD', log, revision .. '-0', 'mark', mark, 'writes', writes)
redis.call('INCR', revision_key)
redis.call('SET', mark_key, mark)

at = 1
while at <= #writes do
  local kind, key, value
  kind, key, value, at = struct.unpack(RECORD, writes, at)
  if kind == 'P' then
    redis.call('HSET', entries, key, revision .. ':' .. value)
    redis.call('ZADD', names, 0, key)
  else
    redis.call('HDEL', entries, key)
    redis.call('ZREM', names, key)
  end
end

local bytes = redis.call('INCRBY', log_bytes, #writes)
local length = redis.call('XLEN', log)
while length > 1 and (length > tonumber(most_changes) or bytes > tonumber(most_bytes)) do
  local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', log, oldest[1])
  bytes = redis.call('DECRBY', log_bytes, #oldest[2][4])
  length = length - 1
end

redis.call('SET', done, revision, 'PX', remember)
-- A login without the channel must not make a commit fail that has happened: readers look anyway.
redis.pcall('PUBLISH', channel, revision .. ' ' .. mark)
return {'done', revision}
