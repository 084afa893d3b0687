//! The management API: CloudFront's operations, durable and atomic.
