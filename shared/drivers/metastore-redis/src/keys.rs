//! The keys in Redis. One hash tag keeps them in one slot, so that a cluster can commit atomically.
//!
//! | key | type | holds |
//! | --- | --- | --- |
//! | `{nearfront}:revision` | string | number of the newest commit |
//! | `{nearfront}:mark` | string | mark of the newest commit |
//! | `{nearfront}:entries` | hash | key → `REVISION:VALUE` |
//! | `{nearfront}:names` | sorted set | the keys, for listing by prefix |
//! | `{nearfront}:log` | stream | `REVISION-0` → `mark`, `writes` |
//! | `{nearfront}:log-bytes` | string | sum of the lengths of `writes` |
//! | `{nearfront}:done:MARK` | string | revision of a commit, for a minute |
//! | `{nearfront}:edges` | set | ids of edges |
//! | `{nearfront}:edge:ID` | string | an edge's last beat, as JSON, as long as it is alive |

/// The hash tag.
pub const TAG: &str = "{nearfront}";
/// Number of the newest commit.
pub const REVISION: &str = "{nearfront}:revision";
/// Mark of the newest commit.
pub const MARK: &str = "{nearfront}:mark";
/// Entries.
pub const ENTRIES: &str = "{nearfront}:entries";
/// Their keys.
pub const NAMES: &str = "{nearfront}:names";
/// The feed.
pub const LOG: &str = "{nearfront}:log";
/// Its size.
pub const LOG_BYTES: &str = "{nearfront}:log-bytes";
/// Ids of edges.
pub const EDGES: &str = "{nearfront}:edges";

/// What remembers that the commit of this mark was done.
pub fn done(mark: &str) -> String {
    format!("{TAG}:done:{mark}")
}

/// An edge's last beat.
pub fn edge(id: &str) -> String {
    format!("{TAG}:edge:{id}")
}

/// Channel of the bell; channels are shared by all databases of a server, so it names its own.
pub fn channel(database: i64) -> String {
    format!("{TAG}:bell:{database}")
}
