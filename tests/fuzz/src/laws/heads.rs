//! Where a request ends: our `Turns` against the server library's own reader.
//!
//! The input is what a viewer sends on one connection.

use crate::turns::Turns;
use actix_http::{
    HttpMessage as _, ServiceConfig,
    h1::{Codec, Message},
};
use bytes::BytesMut;
use futures::task::noop_waker_ref;
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead as _, ReadBuf},
    runtime::LocalRuntime,
};
use tokio_util::codec::Decoder as _;

/// Sizes of the reads that a connection is read with.
const STEPS: [usize; 3] = [1, 7, 64 << 10];

/// Nothing is changed or lost, the sizes of reads do not matter, and exactly one request passes at
/// a time, as the server library counts requests.
///
/// # Panics
/// When that does not hold.
pub fn hold(wire: &[u8]) {
    let first = turns(wire, STEPS[0]);
    assert_eq!(first.concat(), wire, "nothing is changed");
    for step in &STEPS[1..] {
        assert_eq!(turns(wire, *step), first, "steps of {step}");
    }
    let passed = first.first().map_or(0, Vec::len);
    match asked(wire) {
        Library::One(_) if has_endless_length(wire) => {}
        Library::One(length) => assert_eq!(passed, length, "one request passes"),
        Library::Unfinished | Library::Upgrade => {
            assert_eq!(passed, wire.len(), "all of it passes");
        }
        Library::Refused => {}
    }
}

/// Whether a `Content-Length` has more zeros or spaces than anybody writes: then all of it passes.
fn has_endless_length(wire: &[u8]) -> bool {
    let mut lines = wire.split(|byte| *byte == b'\n');
    lines.any(|line| line.len() >= 64 && line.to_ascii_lowercase().starts_with(b"content-length:"))
}

/// What passes, turn by turn.
pub(super) fn turns(wire: &[u8], step: usize) -> Vec<Vec<u8>> {
    let mut turns = Turns::new(wire);
    let mut context = Context::from_waker(noop_waker_ref());
    let mut space = vec![0; step];
    let mut passed = vec![Vec::new()];
    loop {
        let mut into = ReadBuf::new(&mut space);
        match Pin::new(&mut turns).poll_read(&mut context, &mut into) {
            Poll::Ready(Ok(())) if into.filled().is_empty() => return passed,
            Poll::Ready(read) => {
                read.expect("memory cannot fail");
                passed.last_mut().expect("one is there").extend_from_slice(into.filled());
            }
            Poll::Pending => {
                passed.push(Vec::new());
                turns.turn.is_over();
            }
        }
    }
}

thread_local! {
    /// The library wants a runtime to write the date with, though only when this is made.
    static CONFIG: (LocalRuntime, ServiceConfig) = {
        let runtime = LocalRuntime::new().expect("a runtime can be made");
        let config = runtime.block_on(async { ServiceConfig::default() });
        (runtime, config)
    };
}

/// The server library's reader.
pub(super) fn codec() -> Codec {
    Codec::new(CONFIG.with(|(_, config)| config.clone()))
}

/// What the server library makes of the first request.
enum Library {
    /// It has this length.
    One(usize),
    /// More has to come.
    Unfinished,
    /// What follows may be no request.
    Upgrade,
    /// It answers with an error and ends the connection.
    Refused,
}

fn asked(wire: &[u8]) -> Library {
    let mut codec = codec();
    let mut rest = BytesMut::from(wire);
    match codec.decode(&mut rest) {
        Ok(Some(Message::Item(head))) => {
            if head.headers().contains_key("upgrade") || head.method().as_str() == "CONNECT" {
                return Library::Upgrade;
            }
        }
        Ok(_) => return Library::Unfinished,
        Err(_) => return Library::Refused,
    }
    while matches!(codec.message_type(), actix_http::h1::MessageType::Payload) {
        match codec.decode(&mut rest) {
            Ok(Some(_)) => {}
            Ok(None) => return Library::Unfinished,
            Err(_) => return Library::Refused,
        }
    }
    Library::One(wire.len() - rest.len())
}
