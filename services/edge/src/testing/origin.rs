//! An origin that says what it was told to say, and remembers what it was asked.

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use model::plan::Origin as OriginPlan;
use parking_lot::Mutex;
use ports::{
    origin::{Body, BodyError, Origin, OriginError, OriginRequest, OriginResponse, Timing},
    relay::Way,
};
use std::{collections::VecDeque, time::Duration};
use tokio::sync::mpsc;

/// One answer.
pub struct Answer {
    status: Result<StatusCode, OriginError>,
    headers: HeaderMap,
    body: Body,
    after: Duration,
    panics: bool,
    trailers: HeaderMap,
}

/// What was asked.
#[derive(Clone, Debug)]
pub struct Question {
    pub method: Method,
    pub target: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub way: Way,
    pub trailers: HeaderMap,
}

/// The origin.
#[derive(Default)]
pub struct FakeOrigin {
    script: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Question>>,
}

/// 200 with this body, and its length.
pub fn ok(body: &'static str) -> Answer {
    status(200, body)
}

/// Any status.
pub fn status(status: u16, body: &'static str) -> Answer {
    let answer = Answer {
        status: Ok(StatusCode::from_u16(status).unwrap()),
        headers: HeaderMap::new(),
        body: stream::iter([Ok(Bytes::from(body))]).boxed(),
        after: Duration::ZERO,
        panics: false,
        trailers: HeaderMap::new(),
    };
    answer.with("content-length", &body.len().to_string())
}

/// No answer.
pub fn error(why: OriginError) -> Answer {
    Answer {
        status: Err(why),
        headers: HeaderMap::new(),
        body: stream::empty().boxed(),
        after: Duration::ZERO,
        panics: false,
        trailers: HeaderMap::new(),
    }
}

/// 200 of unknown length, whose pieces the test sends; it ends when the sender is dropped.
pub fn streaming() -> (Answer, mpsc::Sender<Result<Bytes, BodyError>>) {
    let (sender, receiver) = mpsc::channel(1);
    let body = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let mut answer = status(200, "");
    answer.headers.clear();
    answer.body = body.boxed();
    (answer, sender)
}

impl Answer {
    /// With this header too.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    /// `Cache-Control`.
    pub fn cached(self, directives: &str) -> Self {
        self.with("cache-control", directives)
    }

    /// With this field after its body.
    pub fn trailed_by(mut self, name: &'static str, value: &'static str) -> Self {
        self.trailers.append(name, HeaderValue::from_static(value));
        self
    }

    /// With another status.
    pub fn but(mut self, status: u16) -> Self {
        self.status = Ok(StatusCode::from_u16(status).unwrap());
        self
    }

    /// Instead of an answer, the one who asks dies.
    pub fn kills(mut self) -> Self {
        self.panics = true;
        self
    }

    /// Its head comes only after this time.
    pub fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }
}

impl FakeOrigin {
    /// What it says next, in order. Asked for more, it fails as an origin without a name.
    pub fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().extend(answers);
    }

    /// It was asked so often.
    #[track_caller]
    pub fn was_asked(&self, times: usize) {
        let asked = self.asked.lock();
        assert_eq!(asked.len(), times, "{asked:#?}");
    }

    /// What it was asked last.
    #[track_caller]
    pub fn last(&self) -> Question {
        self.asked.lock().last().cloned().unwrap()
    }
}

#[async_trait]
impl Origin for FakeOrigin {
    async fn fetch(
        &self,
        _origin: &OriginPlan,
        mut request: OriginRequest,
    ) -> Result<OriginResponse, OriginError> {
        let mut body = Vec::new();
        if let Some(mut coming) = request.body.take() {
            while let Some(piece) = coming.next().await {
                body.extend_from_slice(&piece.map_err(|_| OriginError::ViewerGone)?);
            }
        }
        self.asked.lock().push(Question {
            method: request.method,
            target: request.path_and_query,
            headers: request.headers,
            body,
            way: request.relay.way,
            trailers: request.relay.trailers.told().cloned().unwrap_or_default(),
        });
        let next = self.script.lock().pop_front();
        let answer = next.ok_or_else(|| OriginError::Name("nothing left to say".into()))?;
        tokio::time::sleep(answer.after).await;
        assert!(!answer.panics, "a fault of ours, as the test wants it");
        let told =
            OriginResponse::new(answer.status?, answer.headers, answer.body, Timing::default());
        told.trailers.tell(answer.trailers);
        Ok(told)
    }
}
