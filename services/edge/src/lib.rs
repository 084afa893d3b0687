//! The edge: answers viewers from its cache or fetches from the origin.
//!
//! | folder or file | what it decides |
//! | --- | --- |
//! | `serve` | which server library speaks with a viewer, TLS |
//! | `asked` | the engine's own words for a request and a reply |
//! | `pipeline` | the way of one request, stage by stage |
//! | `flights`, `growing` | who waits for whom, and how a body is read by many while it arrives |
//! | `runs` | the same for long bodies, which are kept in slices |
//! | `feed`, `plans`, `bans` | what is in force, and what is invalidated |
//! | `challenges` | what certificate authorities are answered |
//! | `disk` | which copies outlive a restart |
//! | `heart` | being found and believed |
//! | `encoding` | bodies into a coding, as they come |
//! | `failures` | which origins are left alone for a moment |
//! | `alone` | which questions nobody waits for |
//! | `origins` | which driver asks an origin |
//! | `meters` | what is counted |
//! | `worker` | how long a thread must live |
//!
//! Not for: caching rules, header rules, patterns (`rules/*`); nor the management API.

mod alone;
mod asked;
mod bans;
mod challenges;
mod disk;
mod encoding;
mod failures;
mod feed;
mod flights;
mod growing;
mod heart;
mod meters;
mod origins;
mod pipeline;
mod plans;
mod runs;
mod serve;
mod start;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod worker;

pub use start::{Running, StartError, start};
