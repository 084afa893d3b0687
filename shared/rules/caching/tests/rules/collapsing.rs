//! Request collapsing (CloudFront developer guide, "Simultaneous requests for the same object").

use crate::given::{cloudfront, control, store};
use http::Method;
use model::{
    plan::{
        Behaviour, CachePolicy, Forward, HeaderSelection, Law, Methods, Selection, Ttl,
        ViewerProtocol,
    },
    units::Seconds,
};
use nearfront_caching::collapsing::{Why, may_wait, shares};

fn behaviour() -> Behaviour {
    Behaviour {
        pattern: "*".to_owned(),
        origin: "o".into(),
        viewer_protocol: ViewerProtocol::AllowAll,
        allowed: Methods::All,
        cache_options: false,
        compress: false,
        grpc: false,
        cache: CachePolicy {
            id: None,
            law: Law::CloudFront,
            ttl: Ttl { min: Seconds(0), default: Some(Seconds(50)), max: Seconds(100) },
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

#[test]
fn equal_requests_wait_unless_answers_may_differ() {
    let changed = |change: fn(&mut Behaviour)| {
        let mut behaviour = behaviour();
        change(&mut behaviour);
        may_wait(&behaviour, &Method::GET)
    };
    assert_eq!(changed(|_| {}), Ok(()));
    assert_eq!(changed(|it| it.cache.cookies = Selection::All), Err(Why::Cookies));
    assert_eq!(
        changed(|it| it.forward.cookies = Selection::Only(vec!["a".into()])),
        Err(Why::Cookies)
    );
    assert_eq!(changed(|it| it.cache.all_headers = true), Err(Why::AllHeaders));
    let off = |it: &mut Behaviour| {
        it.cache.ttl = Ttl { min: Seconds(0), default: Some(Seconds(0)), max: Seconds(0) };
    };
    assert_eq!(changed(off), Err(Why::CachingDisabled));
    assert_eq!(changed(|it| it.cache.ttl.default = None), Ok(()));
}

#[test]
fn only_methods_whose_answers_are_kept_wait() {
    for method in [Method::HEAD, Method::POST, Method::OPTIONS] {
        assert_eq!(may_wait(&behaviour(), &method), Err(Why::Method), "{method}");
    }
    let options = Behaviour { cache_options: true, ..behaviour() };
    assert_eq!(may_wait(&options, &Method::OPTIONS), Ok(()));
}

#[test]
fn those_who_waited_share_what_is_fresh() {
    let shared = |min, said| shares(&store(&cloudfront(min, 50, 100), 200, &control(said)));
    assert!(shared(0, "max-age=1"));
    assert!(shared(0, ""));
    for said in ["private", "no-store", "no-cache", "max-age=0", "s-maxage=0"] {
        assert!(!shared(0, said), "{said}");
        assert!(shared(1, said), "{said}");
    }
}
