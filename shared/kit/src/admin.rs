//! The admin server: `/healthz`, `/readyz`, `/metrics`.
//!
//! For: machines that watch this process. Not for: the public; it listens on loopback by default.

use crate::{
    health::{Health, Severity},
    metrics::Metrics,
};
use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use serde::Serialize;
use std::{
    io,
    net::{SocketAddr, TcpListener},
};

/// Media type of the metrics (`OpenMetrics` 1.0, exposition formats).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A running admin server.
#[derive(Debug)]
pub struct Admin {
    /// Where it listens.
    pub listen: SocketAddr,
    handle: ServerHandle,
}

impl Admin {
    /// Stops it; answers under way are finished first. Call this last, so that the process can be
    /// watched while it drains.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

/// What `/readyz` says.
#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    conditions: Vec<Condition>,
}

#[derive(Serialize)]
struct Condition {
    part: &'static str,
    severity: &'static str,
    why: String,
}

#[derive(Clone)]
struct State {
    health: Health,
    metrics: Metrics,
}

/// Starts the server; it runs until [`Admin::stop`].
///
/// # Errors
/// When the address cannot be had.
pub fn start(listen: SocketAddr, health: Health, metrics: Metrics) -> io::Result<Admin> {
    let listener = TcpListener::bind(listen)?;
    let listen = listener.local_addr()?;
    let state = web::Data::new(State { health, metrics });
    let server = HttpServer::new(move || App::new().app_data(state.clone()).configure(routes))
        .workers(1)
        .disable_signals()
        .shutdown_timeout(2)
        .listen(listener)?
        .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(Admin { listen, handle })
}

fn routes(app: &mut web::ServiceConfig) {
    app.route("/healthz", web::get().to(healthz))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(metrics));
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "alive" }))
}

async fn readyz(state: web::Data<State>) -> HttpResponse {
    let conditions = state.health.conditions();
    let worst = conditions.iter().map(|(_, severity, _)| *severity).max();
    let (mut answer, status) = match worst {
        None => (HttpResponse::Ok(), "ready"),
        Some(Severity::Degraded) => (HttpResponse::Ok(), "degraded"),
        Some(Severity::Unready) => (HttpResponse::ServiceUnavailable(), "unready"),
    };
    let conditions = conditions.into_iter().map(condition).collect();
    answer.json(Readiness { status, conditions })
}

fn condition((part, severity, why): (&'static str, Severity, String)) -> Condition {
    let severity = match severity {
        Severity::Degraded => "degraded",
        Severity::Unready => "unready",
    };
    Condition { part, severity, why }
}

async fn metrics(state: web::Data<State>) -> HttpResponse {
    match state.metrics.text() {
        Ok(text) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test;
    use prometheus_client::metrics::counter::Counter;

    async fn ask(health: &Health, metrics: &Metrics, path: &str) -> (u16, String, String) {
        let state = web::Data::new(State { health: health.clone(), metrics: metrics.clone() });
        let app = test::init_service(App::new().app_data(state).configure(routes)).await;
        let request = test::TestRequest::get().uri(path).to_request();
        let answer = test::call_service(&app, request).await;
        let kind = answer.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
        let status = answer.status().as_u16();
        let body = test::read_body(answer).await;
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn degraded_is_ready_and_says_so_but_unready_is_503() {
        let (health, metrics) = (Health::default(), Metrics::default());
        assert_eq!(ask(&health, &metrics, "/readyz").await.0, 200);
        health.ail("store", Severity::Degraded, "unreachable: start Redis");
        let (status, _, body) = ask(&health, &metrics, "/readyz").await;
        assert_eq!(status, 200);
        assert!(body.contains(r#""status":"degraded""#) && body.contains("start Redis"), "{body}");
        health.ail("edge", Severity::Unready, "no plans yet");
        assert_eq!(ask(&health, &metrics, "/readyz").await.0, 503);
        assert_eq!(ask(&health, &metrics, "/healthz").await.0, 200);
    }

    #[actix_web::test]
    async fn metrics_are_open_metrics_text() {
        let metrics = Metrics::default();
        let counter: Counter = Counter::default();
        metrics
            .register(|registry| registry.register("edge_requests", "Requests", counter.clone()));
        counter.inc();
        let (status, kind, body) = ask(&Health::default(), &metrics, "/metrics").await;
        assert_eq!((status, kind.as_str()), (200, OPEN_METRICS));
        assert!(body.contains("nearfront_edge_requests_total 1"), "{body}");
        assert!(body.ends_with("# EOF\n"));
    }
}
