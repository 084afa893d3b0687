//! A body as it goes into a flight: as the origin sends it, or encoded on the way.
//!
//! For: pieces, and knowing when all of them have been given. Not for: who takes them (`ask`).

use crate::encoding::Encoding;
use bytes::Bytes;
use futures::StreamExt as _;
use ports::origin::{Body, BodyError};

/// The body of one answer.
pub struct Source {
    body: Body,
    way: Way,
}

enum Way {
    /// As it comes: so many bytes were announced, and so many have come.
    Plain { announced: Option<u64>, came: u64 },
    /// Through an encoder; none once that has ended.
    Encoded(Option<Encoding>),
}

impl Source {
    /// A body of announced length, to be encoded or not.
    pub fn new(body: Body, announced: Option<u64>, encoding: Option<Encoding>) -> Self {
        let way = match encoding {
            Some(encoding) => Way::Encoded(Some(encoding)),
            None => Way::Plain { announced, came: 0 },
        };
        Self { body, way }
    }

    /// The next piece, never empty where it is encoded; none at the end. A body that the origin did
    /// not end well does not end well encoded either. Dropping the call half-way gives the body up.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            if let Way::Encoded(None) = self.way {
                return None;
            }
            let piece = match self.body.next().await {
                Some(Ok(piece)) => piece,
                Some(Err(why)) => return Some(Err(why)),
                None => return self.rest().await,
            };
            match &mut self.way {
                Way::Plain { announced, came } => {
                    *came += piece.len() as u64;
                    let longer = announced.is_some_and(|announced| *came > announced);
                    return Some(if longer { Err(otherwise("longer")) } else { Ok(piece) });
                }
                Way::Encoded(encoding) => match encoding.as_mut()?.take(&piece).await {
                    Ok(ready) if ready.is_empty() => {}
                    ready => return Some(ready),
                },
            }
        }
    }

    /// What the encoder still holds when the origin's body has ended; that it ended early.
    async fn rest(&mut self) -> Option<Result<Bytes, BodyError>> {
        match &mut self.way {
            Way::Plain { announced: Some(announced), came } if announced != came => {
                Some(Err(otherwise("shorter")))
            }
            Way::Plain { .. } => None,
            Way::Encoded(encoding) => Some(encoding.take()?.finish().await),
        }
    }

    /// Whether it comes as the origin sends it.
    pub fn is_plain(&self) -> bool {
        matches!(self.way, Way::Plain { .. })
    }

    /// The announced length, where it comes as announced.
    pub fn announced(&self) -> Option<u64> {
        match self.way {
            Way::Plain { announced, .. } => announced,
            Way::Encoded(_) => None,
        }
    }

    /// The rest comes in this body, and all together was announced to be this long.
    pub fn goes_on(&mut self, body: Body, total: u64) {
        self.body = body;
        if let Way::Plain { announced, .. } = &mut self.way {
            *announced = Some(total);
        }
    }

    /// The rest comes in this body.
    pub fn replace(&mut self, body: Body) {
        self.body = body;
    }

    /// Whether the piece that was given last is known to be the last.
    pub fn is_whole(&self) -> bool {
        match &self.way {
            Way::Plain { announced, came } => *announced == Some(*came),
            Way::Encoded(encoding) => encoding.is_none(),
        }
    }
}

/// Nobody may take what comes after it for a part of it, or wait for what does not come.
fn otherwise(how: &str) -> BodyError {
    BodyError::Cut(format!("it is {how} than announced"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    async fn all(pieces: &'static [&'static str], announced: u64) -> Result<usize, BodyError> {
        let body = stream::iter(pieces.iter().map(|piece| Ok(Bytes::from(*piece)))).boxed();
        let mut source = Source::new(body, Some(announced), None);
        let mut length = 0;
        while let Some(piece) = source.next().await {
            length += piece?.len();
        }
        Ok(length)
    }

    /// An origin broke off, and the answer to the question for the rest, in chunks, was longer than
    /// the rest: a viewer's connection took what was too much for the next answer.
    #[tokio::test]
    async fn a_body_is_as_long_as_announced_or_broken() {
        assert_eq!(all(&["01234", "56789"], 10).await.unwrap(), 10);
        assert!(all(&["01234", "5678"], 10).await.is_err());
        assert!(all(&["01234", "56789HTTP/1.1 200 OK"], 10).await.is_err());
        assert!(all(&[], 1).await.is_err());
    }
}
