//! Where an address is, by MaxMind-format databases.
