//! What a frame may weigh.
//!
//! For: the h3 crate collects every frame but `DATA` until it is whole, whatever length it announces.
//! Here the bytes are followed on their way to it, and a stream ends at the announcement of a frame
//! that is longer than any head may be. Not for: what is in a frame.

use crate::serve::h2::HEAD;
use ::h3::{
    error::Code,
    quic::{
        BidiStream, Connection, ConnectionErrorIncoming, OpenStreams, RecvStream, SendStream,
        StreamErrorIncoming, StreamId, WriteBuf,
    },
};
use bytes::Bytes;
use std::task::{Context, Poll, ready};

/// `DATA` (RFC 9114 §7.2.1): its payload is passed on as it comes.
const DATA: u64 = 0x0;
/// The one frame without a length; nobody has agreed to it.
const WEBTRANSPORT: u64 = 0x41;
/// The type of a control stream (RFC 9114 §6.2.1).
const CONTROL: u64 = 0x0;

/// A connection, or what opens its streams, with limits on what viewers send.
pub struct Bounded<C>(C);

/// A stream in both directions.
pub struct Both<S> {
    stream: S,
    frames: Frames,
}

/// A stream on which the viewer sends.
pub struct Receives<S> {
    stream: S,
    frames: Frames,
}

impl<C> Bounded<C> {
    /// With limits.
    pub fn new(connection: C) -> Self {
        Self(connection)
    }
}

impl<C> Connection<Bytes> for Bounded<C>
where
    C: Connection<Bytes>,
    <Carried<C> as RecvStream>::Buf: AsRef<[u8]>,
    <C::RecvStream as RecvStream>::Buf: AsRef<[u8]>,
{
    type RecvStream = Receives<C::RecvStream>;
    type OpenStreams = Bounded<C::OpenStreams>;

    fn poll_accept_recv(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::RecvStream, ConnectionErrorIncoming>> {
        let stream = ready!(self.0.poll_accept_recv(context))?;
        Poll::Ready(Ok(Receives { stream, frames: Frames::one_way() }))
    }

    fn poll_accept_bidi(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, ConnectionErrorIncoming>> {
        let stream = ready!(self.0.poll_accept_bidi(context))?;
        Poll::Ready(Ok(Both { stream, frames: Frames::both_ways() }))
    }

    fn opener(&self) -> Self::OpenStreams {
        Bounded(self.0.opener())
    }
}

type Carried<C> = <C as OpenStreams<Bytes>>::BidiStream;

impl<C> OpenStreams<Bytes> for Bounded<C>
where
    C: OpenStreams<Bytes>,
    <C::BidiStream as RecvStream>::Buf: AsRef<[u8]>,
{
    type BidiStream = Both<C::BidiStream>;
    type SendStream = C::SendStream;

    fn poll_open_bidi(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, StreamErrorIncoming>> {
        let stream = ready!(self.0.poll_open_bidi(context))?;
        Poll::Ready(Ok(Both { stream, frames: Frames::both_ways() }))
    }

    fn poll_open_send(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::SendStream, StreamErrorIncoming>> {
        self.0.poll_open_send(context)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.0.close(code, reason);
    }
}

impl<S: SendStream<Bytes>> SendStream<Bytes> for Both<S> {
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.stream.poll_ready(context)
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.stream.send_data(data)
    }

    fn poll_finish(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.stream.poll_finish(context)
    }

    fn reset(&mut self, code: u64) {
        self.stream.reset(code);
    }

    fn send_id(&self) -> StreamId {
        self.stream.send_id()
    }
}

impl<S: BidiStream<Bytes>> BidiStream<Bytes> for Both<S>
where
    <S as RecvStream>::Buf: AsRef<[u8]>,
    <S::RecvStream as RecvStream>::Buf: AsRef<[u8]>,
{
    type SendStream = S::SendStream;
    type RecvStream = Receives<S::RecvStream>;

    fn split(self) -> (Self::SendStream, Self::RecvStream) {
        let (sends, stream) = self.stream.split();
        (sends, Receives { stream, frames: self.frames })
    }
}

impl<S: RecvStream> RecvStream for Both<S>
where
    S::Buf: AsRef<[u8]>,
{
    type Buf = S::Buf;

    fn poll_data(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<S::Buf>, StreamErrorIncoming>> {
        self.frames.poll(&mut self.stream, context)
    }

    fn stop_sending(&mut self, code: u64) {
        self.stream.stop_sending(code);
    }

    fn recv_id(&self) -> StreamId {
        self.stream.recv_id()
    }
}

impl<S: RecvStream> RecvStream for Receives<S>
where
    S::Buf: AsRef<[u8]>,
{
    type Buf = S::Buf;

    fn poll_data(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<S::Buf>, StreamErrorIncoming>> {
        self.frames.poll(&mut self.stream, context)
    }

    fn stop_sending(&mut self, code: u64) {
        self.stream.stop_sending(code);
    }

    fn recv_id(&self) -> StreamId {
        self.stream.recv_id()
    }
}

/// Where in its frames a stream is.
#[derive(Debug)]
enum Frames {
    /// In the type of the stream itself.
    Kind(Number),
    /// In the type of a frame.
    Type(Number),
    /// In the length of a frame of this type.
    Length(u64, Number),
    /// In a payload of which so much is to come.
    Payload(u64),
    /// These are no frames.
    Other,
}

/// A frame longer than any may be.
#[derive(Debug, PartialEq, Eq)]
struct TooLong;

/// An integer of one to eight bytes (RFC 9000 §16), as far as it has come.
#[derive(Debug, Default)]
struct Number {
    value: u64,
    /// Bytes to come; none before the first, which says how many there are.
    left: Option<u8>,
}

impl Number {
    /// One byte more; the integer, once it is whole.
    fn take(&mut self, byte: u8) -> Option<u64> {
        let left = match self.left {
            None => {
                self.value = u64::from(byte & 0x3f);
                (1_u8 << (byte >> 6)) - 1
            }
            Some(left) => {
                self.value = self.value << 8 | u64::from(byte);
                left.saturating_sub(1)
            }
        };
        self.left = Some(left);
        (left == 0).then_some(self.value)
    }
}

impl Frames {
    fn both_ways() -> Self {
        Self::Type(Number::default())
    }

    fn one_way() -> Self {
        Self::Kind(Number::default())
    }

    fn poll<S: RecvStream>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<S::Buf>, StreamErrorIncoming>>
    where
        S::Buf: AsRef<[u8]>,
    {
        let piece = ready!(stream.poll_data(context))?;
        let within = piece.as_ref().map_or(Ok(()), |piece| self.follow(piece.as_ref()));
        if within.is_err() {
            let code = Code::H3_EXCESSIVE_LOAD.value();
            stream.stop_sending(code);
            return Poll::Ready(Err(StreamErrorIncoming::StreamTerminated { error_code: code }));
        }
        Poll::Ready(Ok(piece))
    }

    fn follow(&mut self, mut bytes: &[u8]) -> Result<(), TooLong> {
        while let Some((first, rest)) = bytes.split_first() {
            bytes = rest;
            match self {
                Self::Other => return Ok(()),
                Self::Kind(number) => match number.take(*first) {
                    Some(CONTROL) => *self = Self::both_ways(),
                    Some(_) => *self = Self::Other,
                    None => {}
                },
                Self::Type(number) => match number.take(*first) {
                    Some(WEBTRANSPORT) => return Err(TooLong),
                    Some(kind) => *self = Self::Length(kind, Number::default()),
                    None => {}
                },
                Self::Length(kind, number) => {
                    if let Some(length) = number.take(*first) {
                        *self = Self::payload(*kind, length)?;
                    }
                }
                Self::Payload(left) => {
                    let more = rest.len().min(usize::try_from(*left - 1).unwrap_or(usize::MAX));
                    *left -= 1 + more as u64;
                    bytes = rest.get(more..).unwrap_or_default();
                    if *left == 0 {
                        *self = Self::both_ways();
                    }
                }
            }
        }
        Ok(())
    }

    fn payload(kind: u64, length: u64) -> Result<Self, TooLong> {
        match length {
            0 => Ok(Self::both_ways()),
            _ if kind != DATA && length > HEAD.into() => Err(TooLong),
            _ => Ok(Self::Payload(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(value: u64) -> Vec<u8> {
        match value {
            0..=0x3f => vec![u8::try_from(value).unwrap()],
            0x40..=0x3fff => (u16::try_from(value).unwrap() | 0x4000).to_be_bytes().to_vec(),
            0x4000..=0x3fff_ffff => {
                (u32::try_from(value).unwrap() | 0x8000_0000).to_be_bytes().to_vec()
            }
            _ => (value | 0xc000_0000_0000_0000).to_be_bytes().to_vec(),
        }
    }

    fn frame(kind: u64, length: u64) -> Vec<u8> {
        [number(kind), number(length)].concat()
    }

    fn follow(mut frames: Frames, bytes: &[u8], step: usize) -> Result<(), TooLong> {
        bytes.chunks(step).try_for_each(|piece| frames.follow(piece))
    }

    proptest! {
        /// Whole frames pass however they come; the first that is too long does not.
        #[test]
        fn frames_are_followed(
            whole in prop::collection::vec((0_u64..0x40, 0_u16..300), 0..20),
            step in 1_usize..50,
        ) {
            let mut bytes = Vec::new();
            for (kind, length) in whole {
                bytes.extend(frame(kind, length.into()));
                bytes.extend(vec![0xff; length.into()]);
            }
            prop_assert_eq!(follow(Frames::both_ways(), &bytes, step), Ok(()));
            bytes.extend(frame(1, u64::from(HEAD) + 1));
            prop_assert_eq!(follow(Frames::both_ways(), &bytes, step), Err(TooLong));
        }
    }

    #[test]
    fn only_data_may_be_long() {
        let long = 1 << 40;
        assert_eq!(follow(Frames::both_ways(), &frame(DATA, long), 64), Ok(()));
        for kind in [1, 3, 4, 7, 0x21] {
            assert_eq!(follow(Frames::both_ways(), &frame(kind, long), 64), Err(TooLong));
            let control = [number(CONTROL), frame(kind, long)].concat();
            assert_eq!(follow(Frames::one_way(), &control, 1), Err(TooLong));
            let encoder = [number(2), frame(kind, long)].concat();
            assert_eq!(follow(Frames::one_way(), &encoder, 1), Ok(()));
        }
    }
}
