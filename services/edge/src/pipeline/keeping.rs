//! What is kept of an answer, beside what the law of caching says.
//!
//! For: keys that tell encodings apart already, and what an answer to one viewer says of the next
//! one. Not for: the law (`caching::storing`).

use crate::pipeline::lookup::Found;
use caching::storing::Storing;
use headers::accept_encoding;
use http::{StatusCode, header};

/// The same, without a second key for `Accept-Encoding` where the first one and the origin's request
/// have the same: that tells viewers apart by what they accept (RFC 9111 §4.1).
pub fn by_key(found: &Found, mut storing: Storing) -> Storing {
    if let Storing::Keep(keep) = &mut storing
        && is_keyed_by_encoding(found)
    {
        keep.vary.retain(|name| *name != header::ACCEPT_ENCODING);
    }
    storing
}

fn is_keyed_by_encoding(found: &Found) -> bool {
    let behaviour = &found.routed().behaviour.behaviour;
    let normalised = found.keyed.viewed.with(|request| {
        accept_encoding::normalise(behaviour, request.headers, request.viewer.version)
    });
    normalised.key_part().is_some()
}

/// Whether an answer that is not shared says that the next one will not be either. Errors do not,
/// nor does what this viewer alone asked for: one viewer would choose for all.
pub fn is_lasting(status: StatusCode, storing: &Storing) -> bool {
    let of_request = matches!(storing, Storing::Pass(why) if why.is_of_request());
    (status.is_success() || status.is_redirection()) && !of_request
}
