//! The life of a distribution, and of everything that it refers to, by way of the API.

use crate::harness::{Server, batch, cache_policy, distribution};
use model::{feed::Invalidation, plan::Plan, units::Revision};
use ports::metastore::MetaStore as _;
use std::sync::atomic::Ordering;

const OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

async fn made(server: &Server, body: &str) -> (String, String) {
    let answer = server.call("POST", "/distribution", body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    (answer.text("Id").to_owned(), answer.etag())
}

async fn plan(server: &Server, id: &str) -> (Plan, Revision) {
    let entry = server.store.get(&format!("plan/{id}")).await.unwrap().unwrap();
    (serde_json::from_slice(&entry.value).unwrap(), entry.revision)
}

async fn status(server: &Server, id: &str) -> String {
    let answer = server.call("GET", &format!("/distribution/{id}"), "").await;
    answer.text("Status").to_owned()
}

/// All but the few that tell of the number of things there are.
async fn keys(server: &Server) -> Vec<String> {
    let entries = server.store.list("", None, 1000).await.unwrap();
    let keys = entries.into_iter().map(|entry| entry.key);
    // What was deleted can be looked at for a while: that is the purpose of the last two.
    let left = ["census/", "history/", "gone/"];
    keys.filter(|key| !left.iter().any(|prefix| key.starts_with(prefix))).collect()
}

#[tokio::test]
async fn from_create_to_delete_with_nothing_left_behind() {
    let server = Server::start().await;
    let before = keys(&server).await;
    let created = server.call("POST", "/distribution", distribution("r", &[])).await;
    let (id, tag) = (created.text("Id").to_owned(), created.etag());
    assert_eq!(
        created.header("location").unwrap(),
        format!("http://{}/2020-05-31/distribution/{id}", server.running.listen)
    );
    let domain = created.text("DomainName");
    assert!(domain.ends_with(".nearfront.localhost") && domain.len() == 14 + 20, "{domain}");
    assert_eq!(plan(&server, &id).await.0.domain, domain);

    let config = server.call("GET", &format!("/distribution/{id}/config"), "").await;
    assert_eq!(config.etag(), tag);
    let off =
        config.body.replace("<Enabled>true</Enabled><ViewerC", "<Enabled>false</Enabled><ViewerC");
    assert_ne!(off, config.body);
    let place = format!("/distribution/{id}/config");
    let updated = server.call_if("PUT", &place, &tag, &off).await;
    assert_eq!(updated.status, 200, "{}", updated.body);
    assert!(!plan(&server, &id).await.0.enabled);
    assert_ne!(updated.etag(), tag);

    let stale = server.call_if("PUT", &place, &tag, &off).await;
    assert_eq!(stale.error(), (412, "PreconditionFailed"));
    let blind = server.call("PUT", &place, &off).await;
    assert_eq!(blind.error(), (400, "InvalidIfMatchVersion"));
    let other = off.replace("<CallerReference>r<", "<CallerReference>s<");
    let moved = server.call_if("PUT", &place, &updated.etag(), &other).await;
    assert_eq!(moved.error(), (400, "IllegalUpdate"));

    let batches = format!("/distribution/{id}/invalidation");
    assert_eq!(server.call("POST", &batches, batch("i", &["/a"])).await.status, 201);
    let place = format!("/distribution/{id}");
    let gone = server.call_if("DELETE", &place, &updated.etag(), "").await;
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    assert_eq!(server.call("GET", &place, "").await.error(), (404, "NoSuchDistribution"));
    assert_eq!(keys(&server).await, before);
}

#[tokio::test]
async fn what_get_answers_can_be_sent_back_as_an_update() {
    let server = Server::start().await;
    let (id, tag) = made(&server, &distribution("r", &[])).await;
    let place = format!("/distribution/{id}/config");
    let config = server.call("GET", &place, "").await.body;
    let (before, _) = plan(&server, &id).await;
    let updated = server.call_if("PUT", &place, &tag, &config).await;
    assert_eq!(updated.status, 200, "{}", updated.body);
    assert_eq!(server.call("GET", &place, "").await.body, config);
    assert_eq!(plan(&server, &id).await.0, before);
}

#[tokio::test]
async fn a_caller_reference_makes_one_distribution_even_when_many_ask_at_once() {
    let server = Server::start().await;
    let body = distribution("same", &[]);
    let all = (0..20).map(|_| server.call("POST", "/distribution", &body));
    let answers = futures::future::join_all(all).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.error(), (409, "DistributionAlreadyExists"));
    }
}

#[tokio::test]
async fn deployed_means_that_every_live_edge_has_acknowledged() {
    let server = Server::start().await;
    server.edges.are(&[Revision(0), Revision(u64::MAX)]);
    let (id, _) = made(&server, &distribution("r", &[])).await;
    assert_eq!(status(&server, &id).await, "InProgress");
    let (_, revision) = plan(&server, &id).await;
    server.edges.are(&[Revision(revision.0 - 1), revision]);
    assert_eq!(status(&server, &id).await, "InProgress");
    server.edges.are(&[revision, revision]);
    assert_eq!(status(&server, &id).await, "Deployed");
    let list = server.call("GET", "/distribution", "").await;
    assert_eq!(list.text("Status"), "Deployed");

    let batches = format!("/distribution/{id}/invalidation");
    let created = server.call("POST", &batches, batch("i", &["/a", "/b*"])).await;
    assert_eq!(created.text("Status"), "InProgress");
    let get = server.call("GET", &format!("/distribution/{id}"), "").await;
    assert_eq!(get.text("InProgressInvalidationBatches"), "1");
    assert_eq!(get.text("Status"), "Deployed");
    server.edges.are(&[Revision(revision.0 + 1)]);
    let one = server.call("GET", &format!("{batches}/{}", created.text("Id")), "").await;
    assert_eq!(one.text("Status"), "Completed");
}

#[tokio::test]
async fn only_what_is_disabled_on_every_edge_may_be_deleted() {
    let server = Server::start().await;
    let body = distribution("r", &[("<Enabled>true", "<Enabled>false")]);
    server.edges.are(&[Revision(0)]);
    let (id, tag) = made(&server, &body).await;
    let place = format!("/distribution/{id}");
    let early = server.call_if("DELETE", &place, &tag, "").await;
    assert_eq!(early.error(), (409, "DistributionNotDisabled"));
    server.edges.are(&[Revision(u64::MAX)]);
    assert_eq!(server.call_if("DELETE", &place, &tag, "").await.status, 204);
    let (id, tag) = made(&server, &distribution("s", &[])).await;
    let enabled = server.call_if("DELETE", &format!("/distribution/{id}"), &tag, "").await;
    assert_eq!(enabled.error(), (409, "DistributionNotDisabled"));
}

#[tokio::test]
async fn a_policy_change_is_a_change_of_every_distribution_that_uses_it() {
    let server = Server::start().await;
    let policy = server.call("POST", "/cache-policy", cache_policy("mine", 1)).await;
    let policy_id = policy.text("Id").to_owned();
    let mut ids = Vec::new();
    for reference in ["a", "b"] {
        let body = distribution(reference, &[(OPTIMIZED, &policy_id)]);
        ids.push(made(&server, &body).await.0);
    }
    let (unrelated, _) = made(&server, &distribution("c", &[])).await;
    let (_, untouched) = plan(&server, &unrelated).await;
    server.clock.set(crate::harness::NOON + 60_000);

    let place = format!("/cache-policy/{policy_id}");
    let used = server.call_if("DELETE", &place, &policy.etag(), "").await;
    assert_eq!(used.error(), (409, "CachePolicyInUse"));
    let updated = server.call_if("PUT", &place, &policy.etag(), &cache_policy("mine", 7)).await;
    assert_eq!(updated.status, 200, "{}", updated.body);

    let mut revisions = Vec::new();
    for id in &ids {
        let (plan, revision) = plan(&server, id).await;
        assert_eq!(plan.behaviours[0].cache.ttl.min.0, 7);
        let get = server.call("GET", &format!("/distribution/{id}"), "").await;
        assert_eq!(get.text("LastModifiedTime"), "2026-03-01T12:01:00.000Z");
        revisions.push(revision);
    }
    assert_eq!(revisions[0], revisions[1], "one commit");
    assert_eq!(plan(&server, &unrelated).await.1, untouched);

    for id in &ids {
        let place = format!("/distribution/{id}/config");
        let config = server.call("GET", &place, "").await;
        let body = config.body.replace(&policy_id, OPTIMIZED);
        assert_eq!(server.call_if("PUT", &place, &config.etag(), &body).await.status, 200);
    }
    let stale = server.call_if("DELETE", &place, &policy.etag(), "").await;
    assert_eq!(stale.error(), (412, "PreconditionFailed"));
    assert_eq!(server.call_if("DELETE", &place, &updated.etag(), "").await.status, 204);
}

/// While a policy changes again and again, distributions begin to use it: in the end every plan
/// must hold the last policy.
#[tokio::test]
async fn no_plan_is_left_with_an_older_policy() {
    let server = Server::start().await;
    let policy = server.call("POST", "/cache-policy", cache_policy("mine", 1)).await;
    let id = policy.text("Id").to_owned();
    let place = format!("/cache-policy/{id}");
    let changes = async {
        let mut tag = policy.etag();
        for ttl in 2..12 {
            let answer = server.call_if("PUT", &place, &tag, &cache_policy("mine", ttl)).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            tag = answer.etag();
        }
    };
    let creations = async {
        let all = (0..12).map(|number| {
            let body = distribution(&format!("r{number}"), &[(OPTIMIZED, &id)]);
            let server = &server;
            async move { server.call("POST", "/distribution", body).await.status }
        });
        futures::future::join_all(all).await
    };
    let ((), statuses) = tokio::join!(changes, creations);
    assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
    let plans = server.store.list("plan/", None, 100).await.unwrap();
    assert_eq!(plans.len(), 12);
    for entry in plans {
        let plan: Plan = serde_json::from_slice(&entry.value).unwrap();
        assert_eq!(plan.behaviours[0].cache.ttl.min.0, 11, "{}", entry.key);
    }
}

#[tokio::test]
async fn names_are_unique_and_free_again_after_a_rename() {
    let server = Server::start().await;
    let one = server.call("POST", "/cache-policy", cache_policy("one", 1)).await;
    let again = server.call("POST", "/cache-policy", cache_policy("one", 2)).await;
    assert_eq!(again.error(), (409, "CachePolicyAlreadyExists"));
    let place = format!("/cache-policy/{}", one.text("Id"));
    let two = server.call_if("PUT", &place, &one.etag(), &cache_policy("two", 1)).await;
    assert_eq!(two.status, 200, "{}", two.body);
    assert_eq!(server.call("POST", "/cache-policy", cache_policy("one", 2)).await.status, 201);
    let taken = server.call_if("PUT", &place, &two.etag(), &cache_policy("one", 1)).await;
    assert_eq!(taken.error(), (409, "CachePolicyAlreadyExists"));
}

#[tokio::test]
async fn pages_follow_one_another_without_gap_or_repetition() {
    let server = Server::start().await;
    for number in 0..7 {
        made(&server, &distribution(&format!("r{number}"), &[])).await;
    }
    let (mut marker, mut seen) = (String::new(), Vec::new());
    loop {
        let target = format!("/distribution?MaxItems=3&Marker={marker}");
        let page = server.call("GET", &target, "").await;
        assert_eq!(page.text("MaxItems"), "3");
        let ids = page.body.split("<DistributionSummary><Id>").skip(1);
        seen.extend(ids.map(|rest| rest[..14].to_owned()));
        if page.text("IsTruncated") == "false" {
            assert!(!page.body.contains("NextMarker"));
            break;
        }
        marker = page.text("NextMarker").to_owned();
    }
    let mut unique = seen.clone();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (7, 7));
}

#[tokio::test]
async fn an_invalidation_is_published_once_for_each_caller_reference() {
    let server = Server::start().await;
    let (id, _) = made(&server, &distribution("r", &[])).await;
    let batches = format!("/distribution/{id}/invalidation");
    let one = server.call("POST", &batches, batch("i", &["/a", "/b*"])).await;
    let two = server.call("POST", &batches, batch("i", &["/a", "/b*"])).await;
    assert_eq!((one.status, two.status), (201, 201));
    assert_eq!(one.text("Id"), two.text("Id"));
    let other = server.call("POST", &batches, batch("i", &["/c"])).await;
    assert_eq!(other.error(), (409, "InvalidationBatchAlreadyExists"));
    let entries = server.store.list("invalidation/", None, 10).await.unwrap();
    assert_eq!(entries.len(), 1);
    let published: Invalidation = serde_json::from_slice(&entries[0].value).unwrap();
    assert_eq!(published.paths, ["/a", "/b*"]);
    assert_eq!(published.distribution.as_str(), id);
}

#[tokio::test]
async fn too_many_invalidations_in_progress_wait() {
    let server = Server::start().await;
    let (id, _) = made(&server, &distribution("r", &[])).await;
    let batches = format!("/distribution/{id}/invalidation");
    server.edges.are(&[Revision(0)]);
    let wild: Vec<_> = (0..15).map(|number| format!("/{number}*")).collect();
    let wild: Vec<_> = wild.iter().map(String::as_str).collect();
    assert_eq!(server.call("POST", &batches, batch("a", &wild)).await.status, 201);
    let more = server.call("POST", &batches, batch("b", &["/more*"])).await;
    assert_eq!(more.error(), (400, "TooManyInvalidationsInProgress"));
    assert_eq!(server.call("POST", &batches, batch("c", &["/plain"])).await.status, 201);
    let many = vec!["/x"; 3001];
    let large = server.call("POST", &batches, batch("d", &many)).await;
    assert_eq!(large.error(), (413, "BatchTooLarge"));
    server.edges.are(&[Revision(u64::MAX)]);
    assert_eq!(server.call("POST", &batches, batch("e", &["/more*"])).await.status, 201);
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_says_so() {
    let server = Server::start().await;
    server.store.silent.store(true, Ordering::SeqCst);
    let lost = server.call("POST", "/distribution", distribution("r", &[])).await;
    assert_eq!(lost.error(), (503, "ServiceUnavailable"));
    server.store.silent.store(false, Ordering::SeqCst);
    let again = server.call("POST", "/distribution", distribution("r", &[])).await;
    assert_eq!(again.error(), (409, "DistributionAlreadyExists"));
}

/// A handler that broke down after its commit took the record of the call with it.
#[tokio::test]
async fn a_write_that_breaks_down_half_way_leaves_its_record() {
    let server = Server::start().await;
    server.store.breaks.store(true, Ordering::SeqCst);
    let broken = server.call("POST", "/distribution", distribution("r", &[])).await;
    server.store.breaks.store(false, Ordering::SeqCst);
    assert_eq!(broken.error(), (500, "InternalError"));
    let calls = std::fs::read_to_string(server.folder.path().join("audit/calls.jsonl")).unwrap();
    let id = broken.header("x-amzn-requestid").unwrap();
    assert!(calls.lines().any(|line| line.contains(id) && line.contains("CreateDistribution")));
}

#[tokio::test]
async fn tags_are_merged_and_bounded() {
    let server = Server::start().await;
    let (id, _) = made(&server, &distribution("r", &[])).await;
    let arn = format!("arn:aws:cloudfront::000000000000:distribution/{id}");
    let tag = format!("/tagging?Operation=Tag&Resource={arn}");
    let untag = format!("/tagging?Operation=Untag&Resource={arn}");
    let tags = |from: usize, to: usize| {
        let items = (from..to).map(|n| format!("<Tag><Key>k{n}</Key><Value>{n}</Value></Tag>"));
        format!("<Tags><Items>{}</Items></Tags>", items.collect::<String>())
    };
    assert_eq!(server.call("POST", &tag, tags(0, 50)).await.status, 204);
    assert_eq!(server.call("POST", &tag, tags(49, 51)).await.error(), (400, "InvalidTagging"));
    let keys = "<TagKeys><Items><Key>k0</Key><Key>none</Key></Items></TagKeys>";
    assert_eq!(server.call("POST", &untag, keys).await.status, 204);
    assert_eq!(server.call("POST", &tag, tags(50, 51)).await.status, 204);
    let all = server.call("GET", &format!("/tagging?Resource={arn}"), "").await;
    assert_eq!(all.body.matches("<Tag>").count(), 50);
    assert!(!all.body.contains("<Key>k0<"));
}

/// More old invalidations of a distribution or a tenant than are kept.
async fn many_old_invalidations(server: &Server, whose: &str) {
    use model::{ids::DistributionId, units::Timestamp};
    use ports::metastore::{Commit, Write};
    let writes = (0..1030).map(|number| {
        let old = Invalidation {
            id: format!("IZZZZ{number:05}"),
            distribution: DistributionId(whose.into()),
            paths: vec!["/old".into()],
            caller_reference: format!("old-{number}"),
            created: Timestamp(number),
        };
        let value = serde_json::to_vec(&old).unwrap();
        Write::Put(format!("invalidation/{whose}/{}", old.id), value.into())
    });
    server.store.commit(Commit { checks: Vec::new(), writes: writes.collect() }).await.unwrap();
}

/// Every invalidation of a multi-tenant distribution is one of each of its tenants, and those stayed.
#[tokio::test]
async fn the_newest_thousand_invalidations_of_a_tenant_are_kept_and_no_more() {
    let server = Server::start().await;
    let shared = distribution(
        "r",
        &[("<Enabled>", "<ConnectionMode>tenant-only</ConnectionMode><Enabled>")],
    );
    let (id, _) = made(&server, &shared).await;
    let asked = format!(
        "<CreateDistributionTenantRequest><DistributionId>{id}</DistributionId><Name>shop</Name><Domains>\
         <member><Domain>shop.nearfront.localhost</Domain></member></Domains></CreateDistributionTenantRequest>"
    );
    let tenant = server.call("POST", "/distribution-tenant", asked).await;
    assert_eq!(tenant.status, 201, "{}", tenant.body);
    let tenant = tenant.text("Id");
    many_old_invalidations(&server, tenant).await;
    let batches = format!("/distribution/{id}/invalidation");
    for number in 0..50 {
        let made = server.call("POST", &batches, batch(&format!("n{number}"), &["/a"])).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    let left = server.store.list(&format!("invalidation/{tenant}/"), None, 2000).await.unwrap();
    assert_eq!(left.len(), 1000);
}

#[tokio::test]
async fn the_newest_thousand_invalidations_are_kept_and_no_more() {
    let server = Server::start().await;
    let (id, _) = made(&server, &distribution("r", &[])).await;
    many_old_invalidations(&server, &id).await;
    let batches = format!("/distribution/{id}/invalidation");
    for number in 0..50 {
        let made = server.call("POST", &batches, batch(&format!("n{number}"), &["/a"])).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    let left = server.store.list("invalidation/", None, 2000).await.unwrap();
    assert_eq!(left.len(), 1000);
    assert!(left.iter().take(50).all(|entry| !entry.key.contains("IZZZZ")));
}
