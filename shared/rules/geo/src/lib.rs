//! Distance, the ranking of edges, country restrictions, client subnets.
//!
//! For: deciding which edge is nearest and who may be served, from facts that others have looked up.
//! Not for: looking addresses up (`ports::locator`), nor for knowing which edges live.

mod centroids;
pub mod countries;
pub mod position;
pub mod ranking;
pub mod subnet;

pub use countries::admits;
pub use position::{Position, centroid};
pub use ranking::{Candidate, rank};
pub use subnet::{ClientSubnet, SubnetFault, mask};
