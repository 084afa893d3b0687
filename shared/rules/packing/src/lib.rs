//! What caches keep: a response, or a slice of one, in one packed block of memory.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `stored` | a response as rules and the edge's pipeline work with it |
//! | `entry` | the same as stores keep it: one allocation for a small one |
//! | `template` | header lines that many responses have in common, held once |
//! | `values` | the bytes of the lines that they do not |
//! | `slices` | how a long body is divided, and what is there of one slice |
//! | `record` | an entry as bytes that outlive the process |
//!
//! Not for: where entries are kept (`ports::cachestore`), or whether they may be (`caching`).

mod entry;
mod record;
mod slices;
mod stored;
mod template;
mod values;

pub use entry::Entry;
pub use slices::{Generation, SLICE, Slice, Span};
pub use stored::{Content, Stored};
pub use template::{Line, Template};
pub use values::{Value, Values};
