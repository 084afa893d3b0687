//! Plans, requests, an S3 server that verifies signatures, and a transport that only takes notes.
#![expect(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its own part of the common world"
)]

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use hyper_util::rt::TokioIo;
use model::{
    feed::Secret,
    plan::{Origin as OriginPlan, OriginKind},
    units::Seconds,
};
use nearfront_origin_object::{ObjectOrigin, StoreConfig};
use origin_http::{HttpOrigin, HttpOriginConfig};
use ports::origin::{
    Body, BodyError, Origin, OriginError, OriginRequest, OriginResponse, Scheme, Timing,
};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, task::JoinHandle};

pub const ZONE: &str = "nearfront.localhost";
pub const KEY: &str = "AKIDNEARFRONT";
pub const SECRET: &str = "only-for-tests";

pub fn plan(domain: &str, sign: bool) -> OriginPlan {
    OriginPlan {
        id: "bucket".into(),
        domain: domain.into(),
        path: String::new(),
        headers: Vec::new(),
        kind: OriginKind::Bucket { sign },
        attempts: 2,
        connect_timeout: Seconds(3),
        read_timeout: Seconds(20),
        completion_timeout: None,
    }
}

pub fn request(
    method: Method,
    path: &str,
    fields: &[(&str, &str)],
    body: Option<Body>,
) -> OriginRequest {
    let fields = fields.iter().map(|(name, value)| {
        let name: HeaderName = name.parse().unwrap();
        (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    OriginRequest {
        method,
        path_and_query: path.into(),
        headers: fields.collect(),
        body,
        viewer_scheme: Scheme::Http,
        relay: ports::relay::Relay::default(),
    }
}

pub fn get(path: &str) -> OriginRequest {
    request(Method::GET, path, &[("host", "viewer.example")], None)
}

pub fn body(text: &str) -> Body {
    stream::iter([Ok(Bytes::copy_from_slice(text.as_bytes()))]).boxed()
}

pub fn put(path: &str, text: &str, fields: &[(&str, &str)]) -> OriginRequest {
    let length = text.len().to_string();
    let mut all = vec![("content-length", length.as_str())];
    all.extend_from_slice(fields);
    request(Method::PUT, path, &all, Some(body(text)))
}

/// The whole body, or how it ended.
pub async fn whole(response: OriginResponse) -> Result<Vec<u8>, BodyError> {
    let mut body = response.body;
    let mut all = Vec::new();
    while let Some(piece) = body.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(all)
}

pub async fn text(response: OriginResponse) -> String {
    String::from_utf8(whole(response).await.unwrap()).unwrap()
}

pub fn field<'a>(response: &'a OriginResponse, name: &str) -> &'a str {
    response.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// A driver with one store, mapped to this name.
pub fn driver(name: &str, store: StoreConfig, transport: &Arc<dyn Origin>) -> ObjectOrigin {
    ObjectOrigin::new([(name.to_owned(), store)].into(), ZONE, transport).unwrap()
}

pub fn web() -> Arc<dyn Origin> {
    let config = HttpOriginConfig { native_roots: false, ..HttpOriginConfig::default() };
    Arc::new(HttpOrigin::new(&config).unwrap())
}

/// A store at an own endpoint with the test's key.
pub fn keyed(url: &str, endpoint: &str) -> StoreConfig {
    StoreConfig {
        url: url.into(),
        endpoint: Some(endpoint.into()),
        access_key_id: Some(KEY.into()),
        secret_access_key: Some(Secret(SECRET.into())),
        ..StoreConfig::default()
    }
}

/// An S3 server over a folder that knows one key and verifies every signature.
pub struct S3Server {
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl S3Server {
    pub async fn over(folder: &Path) -> Self {
        let mut builder =
            s3s::service::S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).unwrap());
        builder.set_auth(s3s::auth::SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = hyper::server::conn::http1::Builder::new();
                    let _ended = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, accepting }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What a transport was asked.
pub struct Note {
    pub plan: OriginPlan,
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
}

type Answer = (u16, Vec<(&'static str, &'static str)>, &'static str);

/// Notes what it is asked, and answers every request alike.
pub struct Notes {
    pub taken: Mutex<Vec<Note>>,
    answer: Result<Answer, OriginError>,
}

impl Notes {
    pub fn answering(
        status: u16,
        fields: &[(&'static str, &'static str)],
        body: &'static str,
    ) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), answer: Ok((status, fields.to_vec(), body)) })
    }

    pub fn failing(error: OriginError) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), answer: Err(error) })
    }

    pub fn transport(self: &Arc<Self>) -> Arc<dyn Origin> {
        Arc::clone(self) as Arc<dyn Origin>
    }

    pub fn last(&self) -> Note {
        self.taken.lock().unwrap().pop().unwrap()
    }
}

#[async_trait]
impl Origin for Notes {
    async fn fetch(
        &self,
        origin: &OriginPlan,
        request: OriginRequest,
    ) -> Result<OriginResponse, OriginError> {
        let note = Note {
            plan: origin.clone(),
            method: request.method,
            path: request.path_and_query,
            headers: request.headers,
        };
        self.taken.lock().unwrap().push(note);
        let (status, fields, text) = self.answer.clone()?;
        let fields = fields
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let status = StatusCode::from_u16(status).unwrap();
        Ok(OriginResponse::new(status, fields.collect(), body(text), Timing::default()))
    }
}
