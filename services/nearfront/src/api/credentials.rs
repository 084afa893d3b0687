//! Credentials, found where every AWS tool finds them: the environment, shared files and profiles, roles,
//! processes, containers, machines (AWS SDKs and Tools reference guide, "credential provider chain").
//!
//! The search is the SDK's own; only its questions to the network go over our own client.

use super::http::{self, Https};
use anyhow::{Context, Result};
use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use std::{fmt, time::Duration};

/// Longest answer that is read, in bytes.
const MOST: usize = 1 << 20;
/// How long one question may take where nothing else is said.
const WITHIN: Duration = Duration::from_secs(10);

/// The credentials of a profile, or of the default chain.
///
/// # Errors
/// When there are none.
pub async fn find(profile: Option<&str>) -> Result<Credentials> {
    let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::from_static(crate::aws::REGION))
        .http_client(Ours(http::client()));
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    let found = loader.load().await;
    let chain = found.credentials_provider().context("no credentials chain")?;
    let named = profile.map_or_else(String::new, |name| format!(" in the profile {name}"));
    chain.provide_credentials().await.with_context(|| {
        format!(
            "no AWS credentials{named}: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or name a profile"
        )
    })
}

/// Our client in the SDK's form.
#[derive(Clone)]
struct Ours(Https);

/// The same, with the patience that was asked for.
#[derive(Clone)]
struct Patient(Https, Duration);

impl fmt::Debug for Ours {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Ours")
    }
}

impl fmt::Debug for Patient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Patient({:?})", self.1)
    }
}

impl HttpClient for Ours {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let patience = settings.connect_timeout().zip(settings.read_timeout());
        let patience = patience.map_or(WITHIN, |(connect, read)| connect + read);
        SharedHttpConnector::new(Patient(self.0.clone(), patience))
    }
}

impl HttpConnector for Patient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(client, patience) = self.clone();
        HttpConnectorFuture::new(async move {
            let asked = tokio::time::timeout(patience, exchange(&client, request)).await;
            asked.unwrap_or_else(|late| Err(ConnectorError::timeout(late.into())))
        })
    }
}

async fn exchange(client: &Https, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let user = |why: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(why);
    let request = request.try_into_http1x().map_err(|why| user(why.into()))?;
    let request =
        request.map(|body| Full::new(Bytes::copy_from_slice(body.bytes().unwrap_or_default())));
    let answer = client.request(request).await.map_err(|why| ConnectorError::io(why.into()))?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, MOST).collect().await.map_err(ConnectorError::io)?.to_bytes();
    let answer = ::http::Response::from_parts(parts, body.to_vec().into());
    HttpResponse::try_from(answer).map_err(|why| user(why.into()))
}
