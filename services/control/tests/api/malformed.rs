//! Bodies and parameters that are wrong, each answered by its documented error; nothing is written.

use crate::harness::{Sent, Server, batch, cache_policy, distribution};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

type Wrong = (&'static str, &'static str, &'static str, String, u16, &'static str);

/// The status that the API's model has for this code.
fn documented(code: &str) -> u16 {
    let modelled = model::api::ErrorCode::ALL.iter().find(|one| one.as_str() == code);
    modelled.map_or(400, |one| one.status())
}

#[expect(clippy::too_many_lines, reason = "one table, best read whole")]
fn bodies() -> Vec<Wrong> {
    let post =
        |what, body: String, code| (what, "POST", "/distribution", body, documented(code), code);
    let bent = |from: &str, to: &str| distribution("r", &[(from, to)]);
    let deep = format!("<DistributionConfig>{}", "<a>".repeat(100));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><DistributionConfig>&b;\
                </DistributionConfig>";
    let outside = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><DistributionConfig/>";
    let malformed = "MalformedXML";
    vec![
        post("nothing", String::new(), "MissingBody"),
        post("blanks", " \r\n ".into(), "MissingBody"),
        post("no xml", "hello".into(), malformed),
        post("json", "{\"CallerReference\":\"r\"}".into(), malformed),
        post("cut short", distribution("r", &[])[..300].into(), malformed),
        post("crossed tags", "<DistributionConfig><a></b></DistributionConfig>".into(), malformed),
        post("another root", cache_policy("p", 1), malformed),
        post("two roots", format!("{0}{0}", distribution("r", &[])), malformed),
        post("text after the root", format!("{}x", distribution("r", &[])), malformed),
        post("two hyphens in a comment", bent("test", "<!-- a -- b -->"), malformed),
        post("the end of no section", bent("test", "]]>"), malformed),
        post("a document type", outside.into(), malformed),
        post("an entity bomb", bomb.into(), malformed),
        post("an unknown entity", bent("test", "&nbsp;"), malformed),
        post("a character XML forbids", bent("test", "&#1;"), malformed),
        post("the same, raw", bent("test", "\u{1}"), malformed),
        post("a surrogate", bent("test", "&#xD800;"), malformed),
        post("deep nesting", deep, malformed),
        post("an attribute", bent("<Comment>", "<Comment lang=\"en\">"), malformed),
        post("another namespace", bent("cloudfront.amazonaws.com/doc/2020", "x.com/20"), malformed),
        post(
            "another encoding",
            format!("<?xml version=\"1.0\" encoding=\"latin1\"?>{}", distribution("r", &[])),
            malformed,
        ),
        post("an unknown element", bent("<Comment>", "<Colour>red</Colour><Comment>"), malformed),
        post("an element twice", bent("<Comment>", "<Comment>a</Comment><Comment>"), malformed),
        post("an element missing", bent("<Comment>test</Comment>", ""), malformed),
        post("a word for a number", bent("<HTTPPort>80<", "<HTTPPort>http<"), malformed),
        post("a number beyond 32 bits", bent("<HTTPPort>80<", "<HTTPPort>99999999999<"), malformed),
        post("a word for a boolean", bent("<Enabled>true<", "<Enabled>maybe<"), malformed),
        post("an unknown word", bent("allow-all", "allow-some"), malformed),
        post("a wrong item", bent("<Items><Origin>", "<Items><Thing/><Origin>"), malformed),
        post("a wrong quantity", bent("<Quantity>1<", "<Quantity>2<"), "InconsistentQuantities"),
        post(
            "a negative quantity",
            bent("<Quantity>1<", "<Quantity>-1<"),
            "InconsistentQuantities",
        ),
        post("a port beyond all", bent("<HTTPPort>80<", "<HTTPPort>70000<"), "InvalidArgument"),
        post("no caller reference", distribution("", &[]), "InvalidArgument"),
        post("a long comment", bent("test", &"x".repeat(129)), "InvalidArgument"),
        post(
            "an unknown origin",
            bent("<TargetOriginId>web", "<TargetOriginId>other"),
            "NoSuchOrigin",
        ),
        post("an unknown policy", bent("658327ea", "00000000"), "NoSuchCachePolicy"),
        post(
            "an alias without certificate",
            bent(
                "<Aliases><Quantity>0</Quantity>",
                "<Aliases><Quantity>1</Quantity><Items><CNAME>a.example</CNAME></Items>",
            ),
            "InvalidViewerCertificate",
        ),
        post(
            "a bad root object",
            bent("<Comment>", "<DefaultRootObject>/x</DefaultRootObject><Comment>"),
            "InvalidDefaultRootObject",
        ),
        post(
            "a bad origin path",
            bent("</DomainName>", "</DomainName><OriginPath>x</OriginPath>"),
            "InvalidRelativePath",
        ),
        (
            "a policy's times",
            "POST",
            "/cache-policy",
            cache_policy("p", 5000),
            400,
            "InvalidTTLOrder",
        ),
        (
            "a policy without name",
            "POST",
            "/cache-policy",
            cache_policy("", 1),
            400,
            "InvalidArgument",
        ),
        ("an empty update", "PUT", "/cache-policy/x", String::new(), 400, "MissingBody"),
        (
            "a managed policy",
            "PUT",
            "/cache-policy/658327ea-f89d-4fab-a63d-7e88639e58f6",
            cache_policy("p", 1),
            400,
            "IllegalUpdate",
        ),
        (
            "a managed name",
            "POST",
            "/cache-policy",
            cache_policy("Managed-CachingOptimized", 1),
            409,
            "CachePolicyAlreadyExists",
        ),
        (
            "no distribution",
            "POST",
            "/distribution/ENONE/invalidation",
            batch("r", &["/a"]),
            404,
            "NoSuchDistribution",
        ),
        (
            "no tags",
            "POST",
            "/tagging?Operation=Tag&Resource=x",
            "<Tags/>".into(),
            400,
            "InvalidArgument",
        ),
        ("no resource", "GET", "/tagging", String::new(), 400, "InvalidArgument"),
        (
            "other arn",
            "GET",
            "/tagging?Resource=arn:aws:cloudfront::1:function/x",
            String::new(),
            404,
            "NoSuchResource",
        ),
        ("zero items", "GET", "/distribution?MaxItems=0", String::new(), 400, "InvalidArgument"),
        ("many items", "GET", "/distribution?MaxItems=many", String::new(), 400, "InvalidArgument"),
        (
            "odd marker",
            "GET",
            "/distribution?Marker=..%2F..",
            String::new(),
            400,
            "InvalidArgument",
        ),
        ("odd type", "GET", "/cache-policy?Type=mine", String::new(), 400, "InvalidArgument"),
        (
            "long id",
            "GET",
            "/distribution/EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE",
            String::new(),
            404,
            "NoSuchDistribution",
        ),
        ("id with slash", "GET", "/distribution/a%2Fb", String::new(), 404, "NoSuchDistribution"),
        (
            "id that is no text",
            "GET",
            "/distribution/%FF",
            String::new(),
            404,
            "UnknownOperationException",
        ),
        ("unknown path", "GET", "/nothing", String::new(), 404, "UnknownOperationException"),
        ("other method", "PATCH", "/distribution", String::new(), 405, "MethodNotAllowed"),
    ]
}

#[tokio::test]
async fn every_wrong_body_has_its_documented_error_and_changes_nothing() {
    let server = Server::start().await;
    let before = everything(&server).await;
    let wrong = bodies();
    assert!(wrong.len() >= 40, "{}", wrong.len());
    for (what, method, target, body, status, code) in wrong {
        let answer = server.call(method, target, &body).await;
        assert_eq!(answer.error(), (status, code), "{what}: {}", answer.body);
        assert!(!answer.text("Message").is_empty(), "{what}");
    }
    assert_eq!(everything(&server).await, before);
    assert_eq!(server.call("GET", "/distribution", "").await.status, 200);
}

async fn everything(server: &Server) -> Vec<String> {
    use ports::metastore::MetaStore as _;
    let entries = server.store.list("", None, 1000).await.unwrap();
    entries.into_iter().map(|entry| entry.key).collect()
}

#[tokio::test]
async fn the_faulty_element_is_named_by_its_path() {
    let server = Server::start().await;
    let body = distribution("r", &[("<HTTPPort>80<", "<HTTPPort>http<")]);
    let answer = server.call("POST", "/distribution", body).await;
    let place = "DistributionConfig.Origins.Items[0].CustomOriginConfig.HTTPPort";
    assert!(answer.text("Message").contains(place), "{}", answer.body);
}

#[tokio::test]
async fn all_faults_of_a_configuration_are_told_at_once() {
    let server = Server::start().await;
    let body = distribution(
        "r",
        &[("<TargetOriginId>web", "<TargetOriginId>other"), ("658327ea", "00000000")],
    );
    let message = server.call("POST", "/distribution", body).await;
    let message = message.text("Message");
    assert!(message.contains("TargetOriginId") && message.contains("CachePolicyId"), "{message}");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let server = Server::start().await;
    let answer = server.call("POST", "/distribution", vec![b' '; (1 << 20) + 1]).await;
    assert_eq!(answer.error(), (413, "RequestEntityTooLarge"));
    let fits = server.call("POST", "/distribution", vec![b' '; 1 << 20]).await;
    assert_eq!(fits.error(), (400, "MissingBody"));
}

#[tokio::test]
async fn a_body_that_is_no_utf8_is_refused() {
    let server = Server::start().await;
    let answer = server.call("POST", "/distribution", b"<DistributionConfig>\xff").await;
    assert_eq!(answer.error(), (400, "MalformedXML"));
}

#[tokio::test]
async fn xml_in_all_its_forms_is_read() {
    let server = Server::start().await;
    let plain = distribution("r0", &[]);
    let forms = [
        plain.clone(),
        plain.replace(" xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"", ""),
        plain.replace("><", ">\n  <"),
        format!("\u{feff}<?xml version='1.0' encoding='utf-8'?>\n<!-- a -->\n{plain}\n<?pi?>"),
        plain.replace("<Comment>test", "<Comment><![CDATA[a < b & c]]>"),
        plain.replace("<Comment>test", "<Comment>&lt;&#x26;&quot;"),
        plain.replace("<Comment>test</Comment>", "<Comment/>"),
        plain.replace(
            "<Quantity>0</Quantity></Aliases>",
            "<Quantity>0</Quantity><Items/></Aliases>",
        ),
        plain
            .replace("xmlns=", "xmlns:c=")
            .replace("<DistributionConfig", "<c:DistributionConfig")
            .replace("</DistributionConfig", "</c:DistributionConfig"),
    ];
    for (number, form) in forms.iter().enumerate() {
        let body = form.replace("r0", &format!("r{number}"));
        let made = server.call("POST", "/distribution", &body).await;
        assert_eq!(made.status, 201, "{body} {}", made.body);
    }
}

/// Every operation is served, and whatever is sent to one, nothing is our own fault.
#[tokio::test]
async fn every_operation_answers_in_xml_and_none_pretends() {
    let server = Server::start().await;
    for operation in &model::api::OPERATIONS {
        let path = operation.path.replace(['{', '}'], "");
        let select = operation.select.iter().map(|(key, value)| format!("{key}={value}"));
        let query = select.collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        let sent = Sent::new(operation.method, &format!("{path}{mark}{query}"), "<x/>");
        let answer = server.send(sent.with("if-match", "E1")).await;
        let name = operation.name.as_str();
        if answer.status == 200 {
            assert!(name.starts_with("List"), "{name}: {}", answer.body);
            continue;
        }
        let (status, code) = answer.error();
        assert!(status < 500, "{name} {status} {code}");
    }
}

#[tokio::test]
async fn strangers_are_answered_without_their_body_being_kept() {
    let server = Server::start().await;
    let large = Sent::new("POST", "/distribution", vec![b' '; 1 << 19]).with("host", "x");
    let answer = server.send_raw(&large).await;
    assert_eq!(answer.error(), (403, "MissingAuthenticationToken"));
    let beyond = Sent::new("POST", "/distribution", vec![b' '; 3 << 20]).with("host", "x");
    assert_eq!(server.send_raw(&beyond).await.error(), (413, "RequestEntityTooLarge"));
}

#[tokio::test]
async fn strangers_get_one_answer_and_no_more_of_the_connection() {
    let server = Server::start().await;
    let mut stranger = TcpStream::connect(server.running.listen).await.unwrap();
    // No `Connection: close` here, so that it is the server that ends it.
    stranger.write_all(b"GET /2020-05-31/distribution HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut heard = String::new();
    stranger.read_to_string(&mut heard).await.unwrap();
    assert!(heard.contains("MissingAuthenticationToken"), "{heard}");
    assert!(heard.contains("connection: close"), "{heard}");
}
