//! Bodies into a coding, as they come.
//!
//! For: one encoder for each body, its work done in steps on threads for blocking work, bounded in
//! number and in memory.
//! Not for: whether a body is encoded (`rules/headers`), nor where its bytes come from or go.
//!
//! Encoders are fed in blocks of one size, and flushed where the bytes say so, not the pieces: the
//! same body always becomes the same bytes.

use brotli::{CompressorWriter, enc::BrotliEncoderParams};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use headers::compression::Coding;
use ports::origin::BodyError;
use std::{
    fmt::Display,
    io::{self, Write},
    sync::Arc,
    thread::available_parallelism,
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

/// What encoders are fed with: some hundreds of microseconds of work.
const BLOCK: usize = 32 << 10;
/// Bodies that are encoded at once, for each processor. An encoder takes up to 3 MiB.
const OPEN_PER_PROCESSOR: usize = 16;
/// zlib's own default.
const GZIP_LEVEL: u32 = 6;
/// The highest quality whose speed is near that of gzip at its default.
const BROTLI_QUALITY: i32 = 5;
/// 512 KiB of window (logarithm): nearly all that larger ones gain on pages, in a tenth of the memory.
const BROTLI_WINDOW: i32 = 19;
/// Blocks after which brotli gives what it has, or it would keep the first megabyte to itself.
const BROTLI_FLUSH: u32 = 8;
/// Brotli's output is handed on in so many bytes.
const BROTLI_BUFFER: usize = 8 << 10;
/// zstd's own default: faster than gzip at its default, and smaller.
const ZSTD_LEVEL: i32 = 3;
/// 1 MiB of window (logarithm); more than 8 MiB no viewer has to bear (RFC 9659 §3).
const ZSTD_WINDOW: u32 = 20;

/// All encoders of one edge.
pub struct Encoders {
    /// One for each body that is being encoded.
    open: Arc<Semaphore>,
    /// One for each step at work: no more than there are processors.
    hands: Arc<Semaphore>,
}

/// One body on its way into a coding.
pub struct Encoding {
    /// None once it is finished, or has failed.
    writer: Option<Writer>,
    waiting: Vec<u8>,
    hands: Arc<Semaphore>,
    _open: OwnedSemaphorePermit,
}

enum Writer {
    /// With the number of blocks taken.
    Br(Box<CompressorWriter<Vec<u8>>>, u32),
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Zstd(Box<zstd::Encoder<'static, Vec<u8>>>),
}

impl Encoders {
    /// As many as this machine bears.
    pub fn new() -> Self {
        Self::sized(available_parallelism().map_or(1, usize::from))
    }

    /// For so many processors.
    pub fn sized(processors: usize) -> Self {
        Self {
            open: Arc::new(Semaphore::new(processors * OPEN_PER_PROCESSOR)),
            hands: Arc::new(Semaphore::new(processors)),
        }
    }

    /// Begins with a body of `length` bytes; none when too many are being encoded (CloudFront
    /// developer guide, serve compressed files: compression is skipped under load).
    pub fn begin(&self, coding: Coding, length: u64) -> Option<Encoding> {
        let open = self.open.clone().try_acquire_owned().ok()?;
        Some(Encoding {
            writer: Some(Writer::new(coding, length)?),
            waiting: Vec::new(),
            hands: self.hands.clone(),
            _open: open,
        })
    }
}

impl Encoding {
    /// Takes a piece; what is ready comes back, which may be nothing. Dropping the call half-way
    /// makes the encoding fail.
    ///
    /// # Errors
    /// A fault of ours: the body cannot be made whole.
    pub async fn take(&mut self, piece: &[u8]) -> Result<Bytes, BodyError> {
        self.waiting.extend_from_slice(piece);
        if self.waiting.len() < BLOCK { Ok(Bytes::new()) } else { self.step(false).await }
    }

    /// Ends the body, and gives the rest of it, which is never nothing.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub async fn finish(&mut self) -> Result<Bytes, BodyError> {
        self.step(true).await
    }

    async fn step(&mut self, last: bool) -> Result<Bytes, BodyError> {
        let hand = self.hands.clone().acquire_owned().await.map_err(|why| failed(&why))?;
        let writer = self.writer.take().ok_or_else(|| failed(&"its encoder is gone"))?;
        let mut input = std::mem::take(&mut self.waiting);
        if !last {
            self.waiting = input.split_off(input.len() / BLOCK * BLOCK);
        }
        let work = spawn_blocking(move || {
            let _hand = hand;
            writer.work(&input, last)
        });
        let (writer, output) =
            work.await.map_err(|why| failed(&why))?.map_err(|why| failed(&why))?;
        self.writer = writer;
        Ok(output.into())
    }
}

impl Drop for Encoding {
    /// Encoders that are let go finish what they have, which is work.
    fn drop(&mut self) {
        if let (Some(writer), Ok(runtime)) = (self.writer.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(writer));
        }
    }
}

impl Writer {
    /// None when there is no memory for its window.
    fn new(coding: Coding, length: u64) -> Option<Self> {
        Some(match coding {
            Coding::Gzip => {
                let level = Compression::new(GZIP_LEVEL);
                Self::Gzip(Box::new(GzEncoder::new(Vec::new(), level)))
            }
            Coding::Zstd => {
                let mut writer = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL).ok()?;
                writer.window_log(ZSTD_WINDOW).ok()?;
                Self::Zstd(Box::new(writer))
            }
            Coding::Br => {
                let params = BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: usize::try_from(length).unwrap_or_default(),
                    ..BrotliEncoderParams::default()
                };
                let writer = CompressorWriter::with_params(Vec::new(), BROTLI_BUFFER, &params);
                Self::Br(Box::new(writer), 0)
            }
        })
    }

    /// Takes input, to the end of it if this is the last; what has become ready comes back.
    fn work(mut self, input: &[u8], last: bool) -> io::Result<(Option<Self>, Vec<u8>)> {
        for block in input.chunks(BLOCK) {
            self.write(block)?;
        }
        match self {
            Self::Br(writer, _) if last => Ok((None, writer.into_inner())),
            Self::Gzip(writer) if last => Ok((None, writer.finish()?)),
            Self::Zstd(writer) if last => Ok((None, writer.finish()?)),
            mut more => {
                let output = std::mem::take(more.output());
                Ok((Some(more), output))
            }
        }
    }

    fn write(&mut self, block: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(writer) => writer.write_all(block),
            Self::Zstd(writer) => writer.write_all(block),
            Self::Br(writer, blocks) => {
                writer.write_all(block)?;
                *blocks += 1;
                if blocks.is_multiple_of(BROTLI_FLUSH) { writer.flush() } else { Ok(()) }
            }
        }
    }

    fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Br(writer, _) => writer.get_mut(),
            Self::Gzip(writer) => writer.get_mut(),
            Self::Zstd(writer) => writer.get_mut(),
        }
    }
}

fn failed(why: &dyn Display) -> BodyError {
    BodyError::Cut(format!("it could not be compressed: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::decoded;
    use proptest::{collection::vec, prelude::*};

    async fn encoded(coding: Coding, pieces: &[Vec<u8>]) -> Vec<u8> {
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        let mut encoding = Encoders::sized(1).begin(coding, length).unwrap();
        let mut output = Vec::new();
        for piece in pieces {
            output.extend(encoding.take(piece).await.unwrap());
        }
        let rest = encoding.finish().await.unwrap();
        assert!(!rest.is_empty());
        output.extend(rest);
        output
    }

    fn any_pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let text = "[a-d <>/=]{0,3000}".prop_map(String::into_bytes);
        let noise = vec(any::<u8>(), 0..3000);
        let long = (any::<u8>(), 0..200_000_usize).prop_map(|(byte, many)| vec![byte; many]);
        vec(prop_oneof![text, noise, long], 0..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_was_encoded_can_be_decoded_and_does_not_depend_on_the_pieces(pieces in any_pieces()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                for coding in [Coding::Br, Coding::Zstd, Coding::Gzip] {
                    let output = encoded(coding, &pieces).await;
                    assert_eq!(decoded(coding.as_str(), &output), pieces.concat());
                    assert_eq!(encoded(coding, &[pieces.concat()]).await, output);
                }
            });
        }
    }

    #[tokio::test]
    async fn bytes_leave_before_the_body_has_ended() {
        // Digits of a simple sequence: neither constant nor noise.
        let text: String =
            (0..40_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 7).to_string()).collect();
        for coding in [Coding::Br, Coding::Zstd, Coding::Gzip] {
            let mut encoding = Encoders::sized(1).begin(coding, text.len() as u64).unwrap();
            let early = encoding.take(text.as_bytes()).await.unwrap();
            assert!(!early.is_empty(), "{coding:?}");
        }
    }

    #[tokio::test]
    async fn only_so_many_are_open_and_one_that_ends_makes_room() {
        let encoders = Encoders::sized(1);
        let begin = || encoders.begin(Coding::Gzip, 1000);
        let mut open: Vec<_> = std::iter::from_fn(begin).take(OPEN_PER_PROCESSOR + 1).collect();
        assert_eq!(open.len(), OPEN_PER_PROCESSOR);
        open.pop();
        assert!(begin().is_some());
    }

    #[tokio::test]
    async fn a_step_given_up_half_way_is_never_taken_for_the_whole() {
        let mut encoding = Encoders::sized(1).begin(Coding::Br, 1 << 20).unwrap();
        let text = vec![b'x'; 1 << 20];
        let taken = futures::poll!(std::pin::pin!(encoding.take(&text)));
        assert!(taken.is_pending());
        assert!(encoding.finish().await.is_err());
    }
}
