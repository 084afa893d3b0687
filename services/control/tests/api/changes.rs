//! History, the way back, and dry runs, by way of the API.

use crate::harness::{Answer, Sent, Server, batch, cache_policy, distribution};
use model::{
    api::{Body, OPERATIONS},
    units::Revision,
};
use ports::metastore::MetaStore as _;
use serde_json::Value;

const OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

async fn own(server: &Server, method: &str, target: &str, body: &str) -> Answer {
    own_with(server, method, target, body, &[]).await
}

async fn own_with(
    server: &Server,
    method: &str,
    target: &str,
    body: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut sent = Sent::new(method, "", body);
    sent.target = format!("/nearfront{target}");
    for (name, value) in headers {
        sent = sent.with(name, value);
    }
    server.send(sent).await
}

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

async fn history(server: &Server, resource: &str) -> Vec<(u64, String, String)> {
    let target = format!("/history?Resource={resource}");
    let body = json(&own(server, "GET", &target, "").await);
    let versions = body.get("Versions").unwrap().as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    versions
        .iter()
        .map(|one| (one["Version"].as_u64().unwrap(), text(&one["What"]), text(&one["Operation"])))
        .collect()
}

fn versions(all: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    all.iter().map(|(n, what, by)| (*n, (*what).to_owned(), (*by).to_owned())).collect()
}

async fn made(server: &Server, body: &str) -> (String, String) {
    let answer = server.call("POST", "/distribution", body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    (answer.text("Id").to_owned(), answer.etag())
}

async fn updated(server: &Server, id: &str, tag: &str, body: &str) -> Answer {
    server.call_if("PUT", &format!("/distribution/{id}/config"), tag, body).await
}

async fn policy(server: &Server, name: &str) -> (String, String) {
    let answer = server.call("POST", "/cache-policy", cache_policy(name, 1)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    (answer.text("Id").to_owned(), answer.etag())
}

async fn revision(server: &Server) -> Revision {
    server.store.snapshot(&[]).await.unwrap().revision
}

fn back(resource: &str, version: u64) -> String {
    serde_json::json!({"Resource": resource, "Version": version}).to_string()
}

#[tokio::test]
async fn history_tells_who_did_what_from_the_first_day_to_the_last() {
    let server = Server::start().await;
    let (id, tag) = made(&server, &distribution("r", &[])).await;
    let body =
        distribution("r", &[(">test<", ">changed<"), (">true</Enabled>", ">false</Enabled>")]);
    let changed = updated(&server, &id, &tag, &body).await;
    let request = changed.header("x-amzn-requestid").unwrap();
    let gone = server.call_if("DELETE", &format!("/distribution/{id}"), &changed.etag(), "").await;
    assert_eq!(gone.status, 204);
    let expected = [
        (3, "Deleted", "DeleteDistribution"),
        (2, "Changed", "UpdateDistribution"),
        (1, "Created", "CreateDistribution"),
    ];
    assert_eq!(history(&server, &id).await, versions(&expected));
    let two = json(&own(&server, "GET", &format!("/version?Resource={id}&Version=2"), "").await);
    assert_eq!(two["By"], server.key().id.as_str());
    assert_eq!(two["RequestId"], request);
    assert_eq!(two["At"], "2026-03-01T12:00:00.000Z");
    assert_eq!(two["State"]["config"]["Comment"], "changed");
    let deleted = json(&own(&server, "GET", "/deleted", "").await);
    let arn = format!("arn:aws:cloudfront::000000000000:distribution/{id}");
    assert_eq!(deleted["Resources"][0]["Resource"], arn);
}

#[tokio::test]
async fn a_difference_is_told_by_path() {
    let server = Server::start().await;
    let (id, tag) = made(&server, &distribution("r", &[])).await;
    updated(&server, &id, &tag, &distribution("r", &[(">test<", ">new<")])).await;
    let body = json(&own(&server, "GET", &format!("/diff?Resource={id}"), "").await);
    let expected = serde_json::json!([{"Path": "Comment", "Before": "test", "After": "new"}]);
    assert_eq!(
        (&body["From"], &body["To"], &body["Differences"]),
        (&1.into(), &2.into(), &expected)
    );
    let back = json(&own(&server, "GET", &format!("/diff?Resource={id}&From=2&To=1"), "").await);
    assert_eq!(back["Differences"][0]["After"], "test");
}

#[tokio::test]
async fn what_is_published_again_makes_no_version() {
    let server = Server::start().await;
    let (policy, tag) = policy(&server, "p").await;
    let (id, _) = made(&server, &distribution("r", &[(OPTIMIZED, &policy)])).await;
    let place = format!("/cache-policy/{policy}");
    let answer = server.call_if("PUT", &place, &tag, &cache_policy("p", 7)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let same = server.call_if("PUT", &place, &answer.etag(), &cache_policy("p", 7)).await;
    assert_eq!(same.status, 200, "{}", same.body);
    assert_eq!(history(&server, &id).await.len(), 1);
    assert_eq!(history(&server, &policy).await.len(), 2);
    assert_eq!(history(&server, "p").await.len(), 2, "found by its name");
}

#[tokio::test]
async fn tags_are_part_of_a_version() {
    let server = Server::start().await;
    let (id, _) = made(&server, &distribution("r", &[])).await;
    let arn = format!("arn%3Aaws%3Acloudfront%3A%3A000000000000%3Adistribution%2F{id}");
    let body = "<Tags><Items><Tag><Key>team</Key><Value>web</Value></Tag></Items></Tags>";
    let tagged = server.call("POST", &format!("/tagging?Operation=Tag&Resource={arn}"), body).await;
    assert_eq!(tagged.status, 204, "{}", tagged.body);
    let body = json(&own(&server, "GET", &format!("/diff?Resource={id}"), "").await);
    assert_eq!(body["Differences"][0]["Path"], "Tags");
    assert_eq!(history(&server, &id).await[0].2, "TagResource");
}

#[tokio::test]
async fn only_the_newest_versions_are_kept() {
    let server = Server::start().await;
    let (id, mut tag) = policy(&server, "p").await;
    for min in 2..=53 {
        let place = format!("/cache-policy/{id}");
        tag = server.call_if("PUT", &place, &tag, &cache_policy("p", min)).await.etag();
    }
    let all = server.store.list("history/", None, 1000).await.unwrap();
    assert_eq!(all.len(), 50);
    let known = history(&server, &id).await;
    assert_eq!((known.first().unwrap().0, known.last().unwrap().0), (53, 4));
    let missing = own(&server, "GET", &format!("/version?Resource={id}&Version=3"), "").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.header("x-amzn-errortype"), Some("NoSuchResource"));
}

#[tokio::test]
async fn of_many_at_once_each_that_is_answered_well_has_a_version_of_its_own() {
    let server = Server::start().await;
    let (id, tag) = policy(&server, "p").await;
    let place = format!("/cache-policy/{id}");
    let bodies: Vec<_> = (2..22).map(|min| cache_policy("p", min)).collect();
    let all = bodies.iter().map(|body| server.call_if("PUT", &place, &tag, body));
    let answers = futures::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let (one, _) = made(&server, &distribution("r", &[])).await;
    let arn = format!("arn%3Aaws%3Acloudfront%3A%3A000000000000%3Adistribution%2F{one}");
    let place = format!("/tagging?Operation=Tag&Resource={arn}");
    let bodies: Vec<_> = (0..8)
        .map(|n| format!("<Tags><Items><Tag><Key>k{n}</Key><Value>v</Value></Tag></Items></Tags>"))
        .collect();
    let all = bodies.iter().map(|body| server.call("POST", &place, body));
    let done = futures::future::join_all(all).await;
    let done = done.iter().filter(|answer| answer.status == 204).count();
    let numbers: Vec<_> = history(&server, &one).await.into_iter().map(|one| one.0).collect();
    let expected: Vec<_> = (1..=1 + done as u64).rev().collect();
    assert_eq!(numbers, expected);
}

#[tokio::test]
async fn going_back_is_a_change_like_any_other() {
    let server = Server::start().await;
    let (id, tag) = made(&server, &distribution("r", &[])).await;
    let changed = updated(&server, &id, &tag, &distribution("r", &[(">test<", ">new<")])).await;
    let stale = own_with(&server, "POST", "/rollback", &back(&id, 1), &[("if-match", &tag)]).await;
    assert_eq!((stale.status, stale.header("x-amzn-errortype")), (412, Some("PreconditionFailed")));
    let before = revision(&server).await;
    let dry = [("x-nearfront-dry-run", "true")];
    let tried = own_with(&server, "POST", "/rollback", &back(&id, 1), &dry).await;
    assert_eq!(json(&tried)["Differences"][0]["After"], "test");
    assert_eq!(tried.header("x-nearfront-dry-run"), Some("true"));
    assert_eq!(revision(&server).await, before);
    let tag = changed.etag();
    let done = own_with(&server, "POST", "/rollback", &back(&id, 1), &[("if-match", &tag)]).await;
    let done = json(&done);
    assert_eq!((&done["RolledBackTo"], &done["Version"]), (&1.into(), &3.into()));
    let now = server.call("GET", &format!("/distribution/{id}/config"), "").await;
    assert_eq!(now.text("Comment"), "test");
    assert_eq!(now.etag(), done["ETag"].as_str().unwrap());
    assert_eq!(history(&server, &id).await[0], versions(&[(3, "Changed", "Rollback")])[0]);
}

#[tokio::test]
async fn what_was_deleted_is_made_anew_and_what_cannot_stand_is_refused() {
    let server = Server::start().await;
    let (policy, tag) = policy(&server, "p").await;
    let gone = server.call_if("DELETE", &format!("/cache-policy/{policy}"), &tag, "").await;
    assert_eq!(gone.status, 204);
    let deletion = own(&server, "POST", "/rollback", &back(&policy, 2)).await;
    assert_eq!(deletion.status, 400);
    assert!(deletion.body.contains("choose an earlier one"), "{}", deletion.body);
    let anew = json(&own(&server, "POST", "/rollback", &back(&policy, 1)).await);
    assert_eq!(anew["MadeAnew"], true);
    let id = anew["Resource"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let shown = server.call("GET", &format!("/cache-policy/{id}"), "").await;
    assert_eq!(shown.text("Name"), "p");
    let again = own(&server, "POST", "/rollback", &back(&policy, 1)).await;
    let code = again.header("x-amzn-errortype");
    assert_eq!((again.status, code), (409, Some("CachePolicyAlreadyExists")));
    let unknown = own(&server, "POST", "/rollback", &back("E123", 1)).await;
    assert_eq!(unknown.status, 404);
    let nonsense = own(&server, "POST", "/rollback", "{}").await;
    assert_eq!(nonsense.status, 400);
}

async fn dry(server: &Server, method: &str, target: &str, tag: &str, body: &str) -> Answer {
    let mut sent = Sent::new(method, target, body).with("x-nearfront-dry-run", "true");
    if !tag.is_empty() {
        sent = sent.with("if-match", tag);
    }
    server.send(sent).await
}

#[tokio::test]
async fn it_must_be_clear_whether_a_dry_run_is_meant() {
    let server = Server::start().await;
    for words in [&["yes"][..], &["false", "true"], &["true", "true"], &["true, false"]] {
        let mut sent = Sent::new("POST", "/distribution", distribution("r", &[]));
        for word in words {
            sent = sent.with("x-nearfront-dry-run", word);
        }
        assert_eq!(server.send(sent).await.error(), (400, "InvalidArgument"), "{words:?}");
    }
    assert_eq!(server.call("GET", "/distribution", "").await.text("Quantity"), "0");
}

#[tokio::test]
async fn a_dry_run_answers_as_the_real_call_would_and_changes_nothing() {
    let server = Server::start().await;
    let (id, tag) = made(&server, &distribution("r", &[])).await;
    let (policy, policy_tag) = policy(&server, "p").await;
    let arn = format!("arn%3Aaws%3Acloudfront%3A%3A000000000000%3Adistribution%2F{id}");
    let tags = "<Tags><Items><Tag><Key>team</Key><Value>web</Value></Tag></Items></Tags>";
    let off = distribution("r", &[(">true</Enabled>", ">false</Enabled>")]);
    // What the dry run answers, and what the real call does once the real ones before it are done.
    let calls = [
        ("POST", "/distribution".to_owned(), "", distribution("s", &[]), 201, 201),
        ("PUT", format!("/distribution/{id}/config"), &tag, off, 200, 200),
        ("DELETE", format!("/distribution/{id}"), &tag, String::new(), 409, 412),
        ("POST", format!("/distribution/{id}/invalidation"), "", batch("b", &["/*"]), 201, 201),
        ("POST", format!("/tagging?Operation=Tag&Resource={arn}"), "", tags.to_owned(), 204, 204),
        ("POST", "/cache-policy".to_owned(), "", cache_policy("q", 1), 201, 201),
        ("PUT", format!("/cache-policy/{policy}"), &policy_tag, cache_policy("p", 9), 200, 200),
        ("PUT", format!("/cache-policy/{policy}"), &tag, cache_policy("p", 9), 412, 412),
        ("POST", "/cache-policy".to_owned(), "", cache_policy("p", 1), 409, 409),
        ("DELETE", format!("/cache-policy/{policy}"), &policy_tag, String::new(), 204, 412),
    ];
    let before = server.store.snapshot(&[""]).await.unwrap();
    for (method, target, tag, body, status, _) in &calls {
        let answer = dry(&server, method, target, tag, body).await;
        assert_eq!(answer.status, *status, "{method} {target}: {}", answer.body);
        assert_eq!(answer.header("x-nearfront-dry-run"), Some("true"));
        assert!(answer.header("x-nearfront-would-change").is_some());
        assert_eq!(server.store.snapshot(&[""]).await.unwrap(), before, "{method} {target}");
    }
    for (method, target, tag, body, _, status) in &calls {
        let sent = Sent::new(method, target, body);
        let sent = if tag.is_empty() { sent } else { sent.with("if-match", tag) };
        let real = server.send(sent).await;
        assert_eq!(real.status, *status, "{method} {target}: {}", real.body);
    }
}

#[tokio::test]
async fn a_dry_run_says_what_would_change() {
    let server = Server::start().await;
    let (policy, tag) = policy(&server, "p").await;
    made(&server, &distribution("r", &[(OPTIMIZED, &policy)])).await;
    let place = format!("/cache-policy/{policy}");
    let answer = dry(&server, "PUT", &place, &tag, &cache_policy("p", 9)).await;
    let would = answer.header("x-nearfront-would-change").unwrap();
    // The policy, the distribution that uses it, and its plan.
    assert_eq!(would, "created=0, changed=1, deleted=0, entries-put=3, entries-deleted=0");
    let line = format!("cache-policy/{policy} MinTTL: 1 -> 9");
    assert_eq!(answer.header("x-nearfront-difference"), Some(line.as_str()));
    assert_eq!(answer.header("x-nearfront-differences"), Some("1"));
}

#[tokio::test]
async fn no_operation_of_any_service_writes_in_a_dry_run() {
    let server = Server::start().await;
    let (id, tag) = made(&server, &distribution("r", &[])).await;
    let before = server.store.snapshot(&[""]).await.unwrap();
    for operation in OPERATIONS.iter().filter(|operation| operation.method != "GET") {
        let segments =
            operation.path.split('/').map(|part| if part.starts_with('{') { &id } else { part });
        let path = segments.collect::<Vec<_>>().join("/");
        let query: Vec<_> = operation
            .select
            .iter()
            .map(|(key, value)| match *value {
                "" => (*key).to_owned(),
                value => format!("{key}={value}"),
            })
            .collect();
        let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        let body = match operation.request {
            Body::Xml("DistributionConfig") => distribution("another", &[]),
            Body::Xml(root) => format!("<{root}></{root}>"),
            _ => String::new(),
        };
        let answer = dry(&server, operation.method, &target, &tag, &body).await;
        let name = operation.name.as_str();
        assert_eq!(answer.header("x-nearfront-dry-run"), Some("true"), "{name}: {}", answer.body);
        assert_eq!(server.store.snapshot(&[""]).await.unwrap(), before, "{name}");
    }
}

#[tokio::test]
async fn nobody_writes_by_a_slip_of_the_pen() {
    let server = Server::start().await;
    let before = revision(&server).await;
    let sent = Sent::new("POST", "/distribution", distribution("r", &[]));
    let answer = server.send(sent.with("x-nearfront-dry-run", "yes")).await;
    assert_eq!(answer.error(), (400, "InvalidArgument"));
    assert_eq!(revision(&server).await, before);
}

#[tokio::test]
async fn lints_are_told_on_writes_and_only_there() {
    let server = Server::start().await;
    let behaviours = "<CacheBehaviors><Quantity>2</Quantity><Items>\
        <CacheBehavior><PathPattern>/a/*</PathPattern><TargetOriginId>web</TargetOriginId>\
        <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy><CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId></CacheBehavior>\
        <CacheBehavior><PathPattern>/a/b</PathPattern><TargetOriginId>web</TargetOriginId>\
        <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy><CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId></CacheBehavior>\
        </Items></CacheBehaviors><Comment>";
    let body = distribution("r", &[("<Comment>", behaviours)]);
    let answer = server.call("POST", "/distribution", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let lint = answer.header("x-nearfront-lint").unwrap();
    assert!(lint.starts_with("ShadowedBehavior CacheBehaviors.Items[1].PathPattern: "), "{lint}");
    assert_eq!(answer.header("x-nearfront-lints"), Some("1"));
    let read = server.call("GET", &format!("/distribution/{}", answer.text("Id")), "").await;
    assert_eq!(read.header("x-nearfront-lint"), None);
}
