//! Path patterns and bans: what an invalidation takes away.
