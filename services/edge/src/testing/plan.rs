//! Plans for tests: one distribution `d1.test`, alias `www.example.com`, one origin.

use model::{
    ids::{DistributionId, OriginId},
    plan::{
        Behaviour, CachePolicy, Countries, ErrorRule, Forward, HeaderSelection, HttpVersions, Law,
        Methods, Origin, OriginKind, OriginProtocol, Plan, Selection, TlsMinimum, Ttl,
        ViewerProtocol, ViewerTls,
    },
    units::Seconds,
};

/// Default TTL a minute, maximum an hour, every query string in the key, all methods.
pub fn behaviour(pattern: &str) -> Behaviour {
    Behaviour {
        pattern: pattern.into(),
        origin: OriginId("o".into()),
        viewer_protocol: ViewerProtocol::AllowAll,
        allowed: Methods::All,
        cache_options: false,
        compress: false,
        grpc: false,
        cache: CachePolicy {
            id: None,
            law: Law::CloudFront,
            ttl: Ttl { min: Seconds(0), default: Some(Seconds(60)), max: Seconds(3600) },
            headers: Vec::new(),
            cookies: Selection::None,
            query: Selection::All,
            gzip: false,
            brotli: false,
            zstd: false,
            all_headers: false,
        },
        forward: Forward {
            id: None,
            legacy: false,
            headers: HeaderSelection::None,
            cookies: Selection::None,
            query: Selection::None,
        },
        response_headers: None,
    }
}

/// A plan with one behaviour.
pub fn plan() -> Plan {
    Plan {
        id: DistributionId("E1".into()),
        arn: "arn:aws:cloudfront::000000000000:distribution/E1".into(),
        domain: "d1.test".into(),
        aliases: vec!["www.example.com".into()],
        enabled: true,
        default_root_object: None,
        behaviours: vec![behaviour("*")],
        origins: vec![Origin {
            id: OriginId("o".into()),
            domain: "origin.test".into(),
            path: String::new(),
            headers: Vec::new(),
            kind: OriginKind::Custom {
                protocol: OriginProtocol::Http,
                http_port: 80,
                https_port: 443,
                keepalive: Seconds(5),
            },
            attempts: 3,
            connect_timeout: Seconds(10),
            read_timeout: Seconds(30),
            completion_timeout: None,
        }],
        errors: Vec::new(),
        countries: Countries::All,
        http: HttpVersions { h2: true, h3: false },
        ipv6: true,
        viewer_tls: ViewerTls { certificate: None, minimum: TlsMinimum::Tls12 },
    }
}

/// An error rule without a page.
pub fn error_ttl(status: u16, seconds: u64) -> ErrorRule {
    ErrorRule { status, caching_min_ttl: Seconds(seconds), page: None }
}
