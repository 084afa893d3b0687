-- An edge is alive. KEYS: edge, ids of edges. ARGV: beat, milliseconds to live, id.
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SADD', KEYS[2], ARGV[3])
return 1
