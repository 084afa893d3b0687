//! Custom origins over HTTP and HTTPS: pooled connections, timeouts, attempts.
