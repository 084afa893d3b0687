//! HTTP caching decided by pure functions: CloudFront's law and RFC 9111.
//!
//! For: whether a response may be kept and for how long ([`storing`]), what is done with what is
//! held ([`reuse`], [`stale`]), what changes take away ([`named`]), conditional requests both ways
//! ([`validate`]), ranges ([`range`], [`multipart`]), whether equal requests may wait for one another
//! ([`collapsing`]) and what a reply tells of all that ([`status`]).
//! Not for: the cache key, bans, or keeping anything: those are the edge's and the store's.
//!
//! Which law holds is a matter of the behaviour's cache policy ([`model::plan::Law`]); everything
//! that a behaviour says about caching comes in as [`Terms`]. `now` is always an argument.

pub mod age;
pub mod collapsing;
pub mod dates;
pub mod directives;
pub mod freshness;
pub mod multipart;
pub mod named;
pub mod range;
pub mod reuse;
pub mod stale;
pub mod status;
pub mod storing;
pub mod targeted;
pub mod validate;
pub mod vary;
mod view;

pub use view::{Lifetime, RequestView, ResponseView, StoredView, Terms, Times};
