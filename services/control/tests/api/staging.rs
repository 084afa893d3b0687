//! What is written for staging and streaming distributions, and what is left when they are gone.

use crate::harness::{Answer, Sent, Server, distribution};
use bytes::Bytes;
use ports::metastore::{Commit, MetaStore as _, Write};

/// What is kept of things that are gone, on purpose: that they were counted, and how they once were.
const REMEMBERED: [&str; 3] = ["census/", "gone/", "history/"];

async fn keys(server: &Server) -> Vec<String> {
    let entries = server.store.list("", None, 1000).await.unwrap();
    let keys = entries.into_iter().map(|entry| entry.key);
    let remembered = |key: &String| REMEMBERED.iter().any(|prefix| key.starts_with(prefix));
    keys.filter(|key| !remembered(key)).collect()
}

async fn copied(server: &Server, primary: &Answer, reference: &str) -> Answer {
    let path = format!("/distribution/{}/copy", primary.text("Id"));
    let body = format!(
        "<CopyDistributionRequest><CallerReference>{reference}</CallerReference>\
         </CopyDistributionRequest>"
    );
    let sent = Sent::new("POST", &path, body);
    let sent = sent.with("if-match", &primary.etag()).with("staging", "true");
    let answer = server.send(sent).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer
}

/// Disables and deletes it.
async fn forget(server: &Server, made: &Answer) {
    let place = format!("/distribution/{}", made.text("Id"));
    let config = server.call("GET", &format!("{place}/config"), "").await;
    let off =
        config.body.replace("<Enabled>true</Enabled><Viewer", "<Enabled>false</Enabled><Viewer");
    let off = server.call_if("PUT", &format!("{place}/config"), &config.etag(), &off).await;
    let gone = server.call_if("DELETE", &place, &off.etag(), "").await;
    assert_eq!(gone.status, 204, "{}", gone.body);
}

#[tokio::test]
async fn edges_hear_nothing_of_a_staging_distribution_and_nothing_is_left_of_it() {
    let server = Server::start().await;
    let primary = server.call("POST", "/distribution", distribution("r", &[])).await;
    let before = keys(&server).await;
    let copy = copied(&server, &primary, "c").await;
    let there = keys(&server).await;
    let plan = format!("plan/{}", copy.text("Id"));
    assert!(there.contains(&format!("plan/{}", primary.text("Id"))) && !there.contains(&plan));
    let policy = "<ContinuousDeploymentPolicyConfig><StagingDistributionDnsNames>\
                  <Quantity>1</Quantity><Items><DnsName>NAME</DnsName></Items>\
                  </StagingDistributionDnsNames><Enabled>false</Enabled>\
                  </ContinuousDeploymentPolicyConfig>"
        .replace("NAME", copy.text("DomainName"));
    let policy = server.call("POST", "/continuous-deployment-policy", policy).await;
    assert_eq!(policy.status, 201, "{}", policy.body);
    let place = format!("/continuous-deployment-policy/{}", policy.text("Id"));
    assert_eq!(server.call_if("DELETE", &place, &policy.etag(), "").await.status, 204);
    forget(&server, &copy).await;
    assert_eq!(keys(&server).await, before);
}

#[tokio::test]
async fn of_many_who_promote_at_once_one_does() {
    let server = Server::start().await;
    let primary = server.call("POST", "/distribution", distribution("r", &[])).await;
    let copy = copied(&server, &primary, "c").await;
    let target = format!(
        "/distribution/{}/promote-staging-config?StagingDistributionId={}",
        primary.text("Id"),
        copy.text("Id")
    );
    let tags = format!("{}, {}", primary.etag(), copy.etag());
    let all = (0..10).map(|_| server.call_if("PUT", &target, &tags, ""));
    let answers = futures::future::join_all(all).await;
    let (done, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1);
    for answer in refused {
        assert_eq!(answer.error(), (412, "PreconditionFailed"));
    }
}

#[tokio::test]
async fn what_is_copied_while_it_changes_is_never_half_of_it() {
    let server = Server::start().await;
    let primary = server.call("POST", "/distribution", distribution("r", &[])).await;
    let place = format!("/distribution/{}", primary.text("Id"));
    let config = server.call("GET", &format!("{place}/config"), "").await;
    let other = config.body.replace("<Comment>test<", "<Comment>other<");
    let copy = Sent::new(
        "POST",
        &format!("{place}/copy"),
        "<CopyDistributionRequest><CallerReference>c</CallerReference></CopyDistributionRequest>",
    );
    let copy = copy.with("if-match", &config.etag()).with("staging", "True");
    let target = format!("{place}/config");
    let tag = config.etag();
    let (changed, copied) =
        tokio::join!(server.call_if("PUT", &target, &tag, &other), server.send(copy));
    assert_eq!(changed.status, 200, "{}", changed.body);
    match copied.status {
        201 => assert_eq!(copied.text("Comment"), "test"),
        _ => assert_eq!(copied.error(), (412, "PreconditionFailed")),
    }
}

const FILM: &str = "<StreamingDistributionConfig><CallerReference>r</CallerReference>\
                    <S3Origin><DomainName>films.s3.amazonaws.com</DomainName>\
                    <OriginAccessIdentity></OriginAccessIdentity></S3Origin>\
                    <Aliases><Quantity>1</Quantity><Items><CNAME>films.example</CNAME></Items>\
                    </Aliases><Comment></Comment><TrustedSigners><Enabled>false</Enabled>\
                    <Quantity>0</Quantity></TrustedSigners><Enabled>false</Enabled>\
                    </StreamingDistributionConfig>";

#[tokio::test]
async fn a_streaming_distribution_leaves_nothing_behind() {
    let server = Server::start().await;
    let before = keys(&server).await;
    let made = server.call("POST", "/streaming-distribution", FILM).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(keys(&server).await.contains(&"alias/films.example".to_owned()));
    let place = format!("/streaming-distribution/{}", made.text("Id"));
    let gone = server.call_if("DELETE", &place, &made.etag(), "").await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    assert_eq!(keys(&server).await, before);
}

/// None can be enabled by way of the API yet; one that is must not go all the same.
#[tokio::test]
async fn an_enabled_streaming_distribution_is_not_deleted() {
    let server = Server::start().await;
    let made = server.call("POST", "/streaming-distribution", FILM).await;
    let id = made.text("Id");
    let key = format!("streaming-distribution/{id}");
    let entry = server.store.get(&key).await.unwrap().unwrap();
    let record = String::from_utf8(entry.value.to_vec()).unwrap();
    let (before, after) = record.rsplit_once("\"Enabled\":false").unwrap();
    let enabled = Bytes::from(format!("{before}\"Enabled\":true{after}"));
    let writes = vec![Write::Put(key.clone(), enabled)];
    server.store.commit(Commit { checks: Vec::new(), writes }).await.unwrap();
    let gone = server.call_if("DELETE", &format!("/{key}"), &made.etag(), "").await;
    assert_eq!(gone.error(), (409, "StreamingDistributionNotDisabled"));
}
