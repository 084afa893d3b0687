//! Distance, the ranking of edges, country restrictions.
