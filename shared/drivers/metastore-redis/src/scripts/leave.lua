-- An edge leaves. KEYS: edge, ids of edges. ARGV: id.
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
return 1
