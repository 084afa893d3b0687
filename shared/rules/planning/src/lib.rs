//! A DistributionConfig checked as a whole and turned into the Plan that edges execute.
