//! Cached responses in memory under a byte budget.
