//! The metadata store on Redis: a stream as the log, pub/sub as the doorbell.
