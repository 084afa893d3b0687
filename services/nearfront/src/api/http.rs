//! One HTTP client for everything that the binary asks: plain to this machine, TLS to the world.

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// The client.
pub type Https = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that trusts the system's authorities, or those of the web where the system has none.
pub fn client() -> Https {
    let builder = || HttpsConnectorBuilder::new();
    let trusting = match builder().with_native_roots() {
        Ok(native) => native,
        Err(_) => builder().with_webpki_roots(),
    };
    let connector = trusting.https_or_http().enable_http1().build();
    Client::builder(TokioExecutor::new()).build(connector)
}
