//! HTTP caching decided by pure functions: CloudFront's law and RFC 9111.
