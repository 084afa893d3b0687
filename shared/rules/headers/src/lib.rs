//! What is sent to origins and viewers: request and response header rules.
//!
//! For: everything about names, methods, headers, cookies and query strings that can be decided
//! from one request or one response alone, as CloudFront decides it.
//! Not for: whether a response may be kept or used (`rules/caching`), paths against patterns, or
//! anything that reads a clock or a socket: ids, dates and facts about the viewer are arguments.
//!
//! The order of use for one request:
//! [`head`] → [`hosts`] → [`connection::strip`] → [`redirect::gate`] → [`methods::admit`] → [`key::write`] →
//! on a miss [`origin_request::headers`] and [`origin_request::target`] →
//! [`compression::decide`], then [`viewer_response::clean`] and [`compression::rewrite`] once for
//! what is kept →
//! [`response_policy`] and [`viewer_response::stamp`] for each viewer.

pub mod accept_encoding;
pub mod compression;
pub mod connection;
pub mod cookies;
pub mod cors;
pub mod countries;
pub mod device;
pub mod error_body;
pub mod forwarding;
pub mod generated;
pub mod grpc;
pub mod head;
pub mod hosts;
pub mod key;
pub mod methods;
pub mod names;
pub mod origin_request;
pub mod query;
pub mod redirect;
pub mod response_policy;
pub mod server_timing;
pub mod trailers;
pub mod viewer;
pub mod viewer_response;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod laws;
