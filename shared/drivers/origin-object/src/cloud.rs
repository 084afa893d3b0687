//! Google Cloud Storage and Azure Blob Storage, read-only, through `object_store`.
//!
//! Status and fields are the server's own: they come back beside `object_store`'s result, which
//! knows less. Bodies of errors are ours, because `object_store` has read the server's.

use crate::{
    Asked, answer,
    config::StoreConfig,
    connector::{Connector, Exchange, Head},
    credentials::no_retries,
    key::Key,
};
use futures::StreamExt;
use http::{
    Extensions, HeaderMap, HeaderName, Method,
    header::{
        CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
        IF_UNMODIFIED_SINCE, RANGE,
    },
};
use object_store::{
    GetOptions, GetRange, ObjectStore, azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder, path::Path,
};
use parking_lot::Mutex;
use ports::origin::{BodyError, OriginError, OriginResponse};
use std::{error::Error, sync::Arc, time::SystemTime};

/// One bucket or container, asked with and without credentials.
pub(crate) struct Cloud {
    signed: Arc<dyn ObjectStore>,
    open: Arc<dyn ObjectStore>,
    prefix: String,
}

impl Cloud {
    /// A Google bucket, with the machine's own credentials (without, at an own endpoint).
    ///
    /// # Errors
    /// What is wrong with the settings or the machine's environment.
    pub fn google(
        config: &StoreConfig,
        bucket: &str,
        prefix: String,
        connector: &Connector,
    ) -> Result<Self, String> {
        let build = |skip: bool| {
            let mut builder = GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(bucket)
                .with_http_connector(connector.clone())
                .with_retry(no_retries())
                .with_skip_signature(skip);
            if let Some(endpoint) = &config.endpoint {
                builder = builder.with_base_url(endpoint);
            }
            builder.build().map_err(|e| e.to_string())
        };
        Ok(Self {
            signed: Arc::new(build(config.endpoint.is_some())?),
            open: Arc::new(build(true)?),
            prefix,
        })
    }

    /// An Azure container of the account `access_key_id`.
    ///
    /// # Errors
    /// What is wrong with the settings or the machine's environment.
    pub fn azure(
        config: &StoreConfig,
        container: &str,
        prefix: String,
        connector: &Connector,
    ) -> Result<Self, String> {
        let build = |skip: bool| {
            let mut builder = MicrosoftAzureBuilder::from_env()
                .with_container_name(container)
                .with_http_connector(connector.clone())
                .with_retry(no_retries())
                .with_allow_http(true)
                .with_skip_signature(skip);
            if let (Some(account), Some(key)) = (&config.access_key_id, &config.secret_access_key) {
                builder = builder.with_account(account).with_access_key(&key.0);
            }
            if let Some(endpoint) = &config.endpoint {
                builder = builder.with_endpoint(endpoint.clone());
            }
            builder.build().map_err(|e| e.to_string())
        };
        Ok(Self { signed: Arc::new(build(false)?), open: Arc::new(build(true)?), prefix })
    }

    /// GET and HEAD of an object. Keys that `object_store` cannot ask for (`a//b`) do not exist.
    pub async fn answer(&self, asked: Asked<'_>) -> Result<OriginResponse, OriginError> {
        let method = &asked.request.method;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Ok(answer::not_allowed(method, "GET, HEAD"));
        }
        let Some(path) = self.path(&asked.key) else {
            return Ok(answer::not_found(method));
        };
        let exchange = Exchange { plan: asked.plan.clone(), head: Arc::new(Mutex::new(None)) };
        let options = options(method, &asked.request.headers, &exchange);
        let store = if asked.sign { &self.signed } else { &self.open };
        let result = store.get_opts(&path, options).await;
        let head = exchange.head.lock().take();
        match (result, head) {
            (Ok(result), Some(head)) => {
                let body = result.into_stream().map(|piece| piece.map_err(|e| cut(&e)));
                Ok(respond(head, body.boxed()))
            }
            (Err(_), Some(head)) if !head.status.is_success() => Ok(refused(method, head)),
            (Err(error), _) => Err(no_answer(&error)),
            (Ok(_), None) => Err(OriginError::Protocol("an answer without a head".into())),
        }
    }

    fn path(&self, key: &Key) -> Option<Path> {
        let text = key.text().filter(|text| !text.is_empty())?;
        if self.prefix.is_empty() {
            Path::parse(text).ok()
        } else {
            Path::parse(format!("{}/{text}", self.prefix)).ok()
        }
        .filter(|path| path.as_ref().ends_with(text))
    }
}

fn options(method: &Method, asked: &HeaderMap, exchange: &Exchange) -> GetOptions {
    let text = |name: HeaderName| asked.get(name)?.to_str().ok().map(str::to_owned);
    let date = |name| {
        text(name).and_then(|text| httpdate::parse_http_date(&text).ok()).map(SystemTime::into)
    };
    let mut extensions = Extensions::new();
    extensions.insert(exchange.clone());
    GetOptions {
        if_match: text(IF_MATCH),
        if_none_match: text(IF_NONE_MATCH),
        if_modified_since: date(IF_MODIFIED_SINCE),
        if_unmodified_since: date(IF_UNMODIFIED_SINCE),
        // If-Range cannot be asked: then the whole object is a right answer too
        range: text(RANGE)
            .filter(|_| *method == Method::GET && !asked.contains_key(IF_RANGE))
            .and_then(|text| range(&text)),
        head: *method == Method::HEAD,
        extensions,
        ..GetOptions::default()
    }
}

/// One range of bytes; anything else is ignored (RFC 9110 §14.2).
fn range(text: &str) -> Option<GetRange> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    match (first.is_empty(), last.is_empty()) {
        (false, true) => first.parse().ok().map(GetRange::Offset),
        (true, false) => last.parse().ok().map(GetRange::Suffix),
        (false, false) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then(|| GetRange::Bounded(first..last.saturating_add(1)))
        }
        (true, true) => None,
    }
}

fn respond(head: Head, body: ports::origin::Body) -> OriginResponse {
    OriginResponse::new(head.status, head.headers, body, head.timing)
}

/// The server's own refusal; its body is gone.
fn refused(method: &Method, mut head: Head) -> OriginResponse {
    if !head.status.is_client_error() && !head.status.is_server_error() {
        return respond(head, answer::nothing());
    }
    let reason = head.status.canonical_reason().unwrap_or("Error");
    let ours = answer::error(method, head.status, &reason.replace(' ', ""), reason);
    for name in [CONTENT_LENGTH, CONTENT_TYPE] {
        head.headers.remove(name);
    }
    head.headers.extend(ours.headers);
    respond(head, ours.body)
}

fn cut(error: &object_store::Error) -> BodyError {
    match find::<BodyError>(error) {
        Some(known) => known.clone(),
        None => BodyError::Cut(error.to_string()),
    }
}

/// The transport's own word for it, if there is one.
fn no_answer(error: &object_store::Error) -> OriginError {
    match find::<OriginError>(error) {
        Some(known) => known.clone(),
        None => OriginError::Protocol(error.to_string()),
    }
}

fn find<T: Error + 'static>(error: &object_store::Error) -> Option<&T> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
