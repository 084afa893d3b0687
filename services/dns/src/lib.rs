//! Authoritative DNS that answers with the nearest live edge.
