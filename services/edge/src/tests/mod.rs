//! Stories of the edge, each with its origin, its clock and its viewers on one page.

mod collapsing;
mod compressing;
mod errors;
mod following;
mod heeding;
mod holding;
mod http2;
mod http3;
mod parts;
mod passing;
mod relaying;
mod shaping;
mod sockets;
mod telling;
mod tracing;
