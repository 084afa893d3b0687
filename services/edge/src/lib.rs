//! The edge: answers viewers from its cache or fetches from the origin.
