//! The metadata store in one file of this machine (redb).
