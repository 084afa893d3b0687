"""Cache, origin request and response headers policies: their lives, which are alike, and what is wrong with each."""

import copy

import nearfront as parts
import pytest
import surface

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
OTHER = "00000000-0000-4000-8000-000000000000"


class Kind:
    """One kind of policy, by the words of its operations."""

    def __init__(self, name, sample, managed, plural=None):
        self.name, self.sample, self.managed = name, sample, managed
        self.plural = plural or f"{name[:-1]}ies"
        self.config, self.shape, self.list = f"{name}Config", name, f"{name}List"

    def make(self, name):
        return {**copy.deepcopy(self.sample), "Name": name}

    def create(self, api, name, **changes):
        return api.ok(f"Create{self.name}", **{self.config: {**self.make(name), **changes}})

    def delete(self, api, made):
        one = made[self.shape]["Id"]
        api.ok(f"Delete{self.name}", Id=one, IfMatch=api.call(f"Get{self.name}", Id=one)["ETag"])


PARAMETERS = {"EnableAcceptEncodingGzip": True, "EnableAcceptEncodingBrotli": True,
              "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Origin"]}},
              "CookiesConfig": {"CookieBehavior": "whitelist", "Cookies": {"Quantity": 1, "Items": ["a"]}},
              "QueryStringsConfig": {"QueryStringBehavior": "allExcept", "QueryStrings": {"Quantity": 1, "Items": ["q"]}}}
CACHE = Kind("CachePolicy", {"MinTTL": 1, "DefaultTTL": 2, "MaxTTL": 3, "Comment": "c",
                             "ParametersInCacheKeyAndForwardedToOrigin": PARAMETERS}, OPTIMIZED)
REQUEST = Kind("OriginRequestPolicy", {
    "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["User-Agent"]}},
    "CookiesConfig": {"CookieBehavior": "all"}, "QueryStringsConfig": {"QueryStringBehavior": "none"}},
    "216adef6-5c7f-47e4-b989-5492eafa07d3")
CORS = {"AccessControlAllowOrigins": {"Quantity": 1, "Items": ["https://a.example"]}, "AccessControlAllowCredentials": False,
        "AccessControlAllowHeaders": {"Quantity": 1, "Items": ["*"]},
        "AccessControlAllowMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}, "OriginOverride": True}
RESPONSE = Kind("ResponseHeadersPolicy", {
    "Comment": "c", "CorsConfig": CORS,
    "CustomHeadersConfig": {"Quantity": 1, "Items": [{"Header": "X-A", "Value": "1", "Override": True}]},
    "RemoveHeadersConfig": {"Quantity": 1, "Items": [{"Header": "Server"}]},
    "SecurityHeadersConfig": {"StrictTransportSecurity": {"Override": True, "AccessControlMaxAgeSec": 60}},
    "ServerTimingHeadersConfig": {"Enabled": True, "SamplingRate": 12.5}}, "60669652-455b-4ae9-85a4-c4c02393f86c")
KINDS = pytest.mark.parametrize("kind", [CACHE, REQUEST, RESPONSE], ids=lambda kind: kind.name)


def verbs(kind):
    return [f"Create{kind.name}", f"Get{kind.name}", f"Get{kind.name}Config", f"Update{kind.name}", f"Delete{kind.name}",
            f"List{kind.plural}"]


@pytest.mark.proves(*verbs(CACHE), *verbs(REQUEST), *verbs(RESPONSE))
@KINDS
def test_a_policy_lives_and_is_gone(api, unique, kind):
    name = unique()
    made = kind.create(api, name)
    one = made[kind.shape]["Id"]
    assert made["Location"].endswith(f"/{one}") and made["ETag"]
    shown = api.ok(f"Get{kind.name}Config", Id=one)
    assert shown[kind.config] == kind.make(name) and shown["ETag"] == made["ETag"]
    new = {**kind.make(unique()), "Comment": "another"}
    changed = api.ok(f"Update{kind.name}", Id=one, IfMatch=shown["ETag"], **{kind.config: new})
    assert changed["ETag"] != made["ETag"]
    assert api.ok(f"Get{kind.name}", Id=one)[kind.shape][kind.config] == new
    custom = api.ok(f"List{kind.plural}", Type="custom")[kind.list]
    assert one in [item[kind.shape]["Id"] for item in custom["Items"]]
    assert {item["Type"] for item in custom["Items"]} == {"custom"}
    kind.create(api, name)  # the old name is free again
    kind.delete(api, changed)
    api.refused(f"Get{kind.name}", f"NoSuch{kind.name}", why="wrong id", Id=one)


@pytest.mark.parametrize("given, shown", [
    ({"MinTTL": 1}, (1, 86_400, 31_536_000)), ({"MinTTL": 90_000}, (90_000, 90_000, 31_536_000)),
    ({"MinTTL": 0, "MaxTTL": 60}, (0, 60, 60)), ({"MinTTL": 0, "DefaultTTL": 0}, (0, 0, 31_536_000))])
def test_lifetimes_that_were_left_out_are_shown(api, unique, given, shown):
    made = api.ok("CreateCachePolicy", CachePolicyConfig={"Name": unique(), **given})
    config = made["CachePolicy"]["CachePolicyConfig"]
    assert (config["MinTTL"], config["DefaultTTL"], config["MaxTTL"]) == shown
    changed = {"Name": config["Name"], "MinTTL": 5}
    updated = api.ok("UpdateCachePolicy", Id=made["CachePolicy"]["Id"], IfMatch=made["ETag"], CachePolicyConfig=changed)
    assert updated["CachePolicy"]["CachePolicyConfig"]["DefaultTTL"] == 86_400
    CACHE.delete(api, made)


@KINDS
def test_managed_ones_are_listed_read_and_never_changed(api, unique, kind):
    managed = api.ok(f"List{kind.plural}", Type="managed")[kind.list]
    assert kind.managed in [item[kind.shape]["Id"] for item in managed["Items"]]
    shown = api.ok(f"Get{kind.name}", Id=kind.managed)
    api.refused(f"Update{kind.name}", "IllegalUpdate", why="other", Id=kind.managed, IfMatch=shown["ETag"],
                **{kind.config: kind.make(unique())})
    api.refused(f"Delete{kind.name}", "IllegalDelete", why="other", Id=kind.managed, IfMatch=shown["ETag"])
    name = shown[kind.shape][kind.config]["Name"]
    code = "InvalidArgument" if "." in name else f"{kind.name}AlreadyExists"
    api.refused(f"Create{kind.name}", code, why="taken", **{kind.config: kind.make(name)})


@KINDS
def test_pages_follow_one_another(api, unique, kind):
    made = [kind.create(api, unique()) for _ in range(3)]
    whole = api.call(f"List{kind.plural}")[kind.list]["Items"]
    paged, marker = [], {}
    while True:
        page = api.ok(f"List{kind.plural}", MaxItems="2", **marker)[kind.list]
        paged += page.get("Items", [])
        assert page["Quantity"] == len(page.get("Items", [])) <= 2 == page["MaxItems"]
        if not page.get("NextMarker"):
            break
        marker = {"Marker": page["NextMarker"]}
    assert paged == whole
    for one in made:
        kind.delete(api, one)
    for wrong in ("0", "-1", "x", "99999999999"):
        api.refused(f"List{kind.plural}", "InvalidArgument", why="out of range", MaxItems=wrong)
    api.refused(f"List{kind.plural}", "InvalidArgument", why="out of range", Type="both")


@KINDS
def test_ids_and_tags_that_are_wrong(api, unique, kind):
    made = kind.create(api, unique())
    one, body, missing = made[kind.shape]["Id"], {kind.config: kind.make(unique())}, f"NoSuch{kind.name}"
    for wrong in (OTHER, "x", "../x", "é", "x" * 1000):
        for verb in ("Get", "GetConfig"):
            operation = f"Get{kind.name}{verb[3:]}"
            api.refused(operation, missing, why="wrong id", Id=wrong)
        api.refused(f"Update{kind.name}", missing, why="wrong id", Id=wrong, IfMatch="E1", **body)
        api.refused(f"Delete{kind.name}", missing, why="wrong id", Id=wrong, IfMatch="E1")
    for verb, more in (("Update", body), ("Delete", {})):
        api.refused(f"{verb}{kind.name}", "PreconditionFailed", why="stale etag", Id=one, IfMatch="E0000000000000", **more)
        api.refused(f"{verb}{kind.name}", "InvalidIfMatchVersion", why="no etag", Id=one, **more)
        api.refused(f"{verb}{kind.name}", "InvalidIfMatchVersion", why="stale etag", Id=one, IfMatch="not a tag!", **more)
    kind.delete(api, made)


@KINDS
def test_names_belong_to_one(api, unique, kind):
    one, other = kind.create(api, unique()), kind.create(api, unique())
    name = one[kind.shape][kind.config]["Name"]
    api.refused(f"Create{kind.name}", f"{kind.name}AlreadyExists", why="taken", **{kind.config: kind.make(name)})
    api.refused(f"Update{kind.name}", f"{kind.name}AlreadyExists", why="taken", Id=other[kind.shape]["Id"],
                IfMatch=other["ETag"], **{kind.config: kind.make(name)})
    for made in (one, other):
        kind.delete(api, made)


@KINDS
def test_what_is_used_stays(api, unique, distribution, kind):
    made = kind.create(api, unique())
    behaviour = {**surface.config_of("x")["DefaultCacheBehavior"], f"{kind.name}Id": made[kind.shape]["Id"]}
    one = distribution(DefaultCacheBehavior=behaviour)["Distribution"]["Id"]
    etag = api.call(f"Get{kind.name}", Id=made[kind.shape]["Id"])["ETag"]
    api.refused(f"Delete{kind.name}", f"{kind.name}InUse", why="in use", Id=made[kind.shape]["Id"], IfMatch=etag, says=one)
    surface.forget(api, one)
    kind.delete(api, made)


@KINDS
def test_a_required_member_that_is_missing_is_named(api, kind, unique):
    whole = kind.make(unique())
    shape = api.model.shape_for(kind.config)
    for member in shape.required_members:
        broken = {name: value for name, value in whole.items() if name != member}
        error = api.refused(f"Create{kind.name}", "MalformedXML", why="missing field", **{kind.config: broken})
        assert f"{kind.config}.{member}" in error["Message"]
    made = kind.create(api, unique())
    broken = {name: value for name, value in whole.items() if name != "Name"}
    api.refused(f"Update{kind.name}", "MalformedXML", why="missing field", Id=made[kind.shape]["Id"], IfMatch=made["ETag"],
                **{kind.config: broken})
    api.refused(f"Create{kind.name}", "MissingBody", why="missing field", **{})
    kind.delete(api, made)


def changed(sample, path, value):
    """A copy of the sample with one place changed."""
    config = copy.deepcopy(sample)
    here = config
    *above, last = path.split(".")
    for part in above:
        here = here[int(part)] if part.isdigit() else here.setdefault(part, {})
    here[int(last) if last.isdigit() else last] = value
    return config


def names(*items):
    return {"Quantity": len(items), "Items": list(items)}


KEY = "ParametersInCacheKeyAndForwardedToOrigin"
WRONG = [
    (CACHE, "Name", "", "InvalidArgument"),
    (CACHE, "Name", "a b", "InvalidArgument"),
    (CACHE, "Name", "n" * 129, "InvalidArgument"),
    (CACHE, "Comment", "c" * 129, "InvalidArgument"),
    (CACHE, "MinTTL", -1, "InvalidArgument"),
    (CACHE, "MinTTL", 3, "InvalidTTLOrder"),
    (CACHE, "DefaultTTL", 4, "InvalidTTLOrder"),
    (CACHE, "MaxTTL", 2**62, "InvalidArgument"),
    (CACHE, f"{KEY}.HeadersConfig.HeaderBehavior", "none", "InvalidArgument"),
    (CACHE, f"{KEY}.HeadersConfig.HeaderBehavior", "allViewer", "MalformedXML"),
    (CACHE, f"{KEY}.HeadersConfig.Headers", {"Quantity": 2, "Items": ["Origin"]}, "InconsistentQuantities"),
    (CACHE, f"{KEY}.HeadersConfig.Headers", names("Origin", "Origin"), "InvalidArgument"),
    (CACHE, f"{KEY}.HeadersConfig.Headers", names("Origin", "origin"), "InvalidArgument"),
    (CACHE, f"{KEY}.HeadersConfig.Headers", names("not a header"), "InvalidArgument"),
    (CACHE, f"{KEY}.HeadersConfig.Headers", names("Connection"), "InvalidArgument"),
    (CACHE, f"{KEY}.HeadersConfig.Headers", names(), "InvalidArgument"),
    (CACHE, f"{KEY}.CookiesConfig.Cookies", names("a", "a"), "InvalidArgument"),
    (CACHE, f"{KEY}.CookiesConfig.Cookies", names("a b"), "InvalidArgument"),
    (CACHE, f"{KEY}.QueryStringsConfig.QueryStringBehavior", "all", "InvalidArgument"),
    (REQUEST, "Name", "ä", "InvalidArgument"),
    (REQUEST, "HeadersConfig.Headers", names("Connection"), "InvalidArgument"),
    (REQUEST, "HeadersConfig.Headers", names("Authorization"), "InvalidArgument"),
    (REQUEST, "HeadersConfig.Headers", names(""), "InvalidArgument"),
    (REQUEST, "HeadersConfig.HeaderBehavior", "allViewer", "InvalidArgument"),
    (REQUEST, "HeadersConfig.HeaderBehavior", "allViewerAndWhitelistCloudFront", "InvalidArgument"),
    (REQUEST, "HeadersConfig.HeaderBehavior", "some", "MalformedXML"),
    (REQUEST, "CookiesConfig", {"CookieBehavior": "whitelist"}, "InvalidArgument"),
    (REQUEST, "CookiesConfig", {"CookieBehavior": "none", "Cookies": names("a")}, "InvalidArgument"),
    (REQUEST, "QueryStringsConfig", {"QueryStringBehavior": "whitelist", "QueryStrings": {"Quantity": 0, "Items": ["a"]}}, "InconsistentQuantities"),
    (RESPONSE, "Name", "n" * 129, "InvalidArgument"),
    (RESPONSE, "CorsConfig.AccessControlAllowOrigins", names("*", "https://a.example"), "InvalidArgument"),
    (RESPONSE, "CorsConfig.AccessControlAllowOrigins", names(), "InvalidArgument"),
    (RESPONSE, "CorsConfig.AccessControlAllowOrigins", names("a b"), "InvalidArgument"),
    (RESPONSE, "CorsConfig.AccessControlAllowMethods", names(), "InvalidArgument"),
    (RESPONSE, "CorsConfig.AccessControlAllowMethods", names("GET", "GET"), "InvalidArgument"),
    (RESPONSE, "CorsConfig.AccessControlAllowMethods", names("ALL", "GET"), "InvalidArgument"),
    (RESPONSE, "CorsConfig.AccessControlAllowMethods", names("TRACE"), "MalformedXML"),
    (RESPONSE, "CorsConfig.AccessControlAllowHeaders", names("a b"), "InvalidArgument"),
    (RESPONSE, "CorsConfig.AccessControlMaxAgeSec", -1, "InvalidArgument"),
    (RESPONSE, "CustomHeadersConfig.Items.0.Header", "a b", "InvalidArgument"),
    (RESPONSE, "CustomHeadersConfig.Items.0.Header", "Via", "InvalidArgument"),
    (RESPONSE, "CustomHeadersConfig.Items.0.Value", "v" * 1784, "InvalidArgument"),
    (RESPONSE, "CustomHeadersConfig.Items.0.Value", "a\nb", "InvalidArgument"),
    (RESPONSE, "CustomHeadersConfig.Quantity", 3, "InconsistentQuantities"),
    (RESPONSE, "RemoveHeadersConfig.Items.0.Header", "Content-Length", "InvalidArgument"),
    (RESPONSE, "RemoveHeadersConfig", names({"Header": "A"}, {"Header": "a"}), "InvalidArgument"),
    (RESPONSE, "SecurityHeadersConfig.StrictTransportSecurity.AccessControlMaxAgeSec", -1, "InvalidArgument"),
    (RESPONSE, "SecurityHeadersConfig.ContentSecurityPolicy", {"Override": True, "ContentSecurityPolicy": "x" * 1784},
     "TooLongCSPInResponseHeadersPolicy"),
    (RESPONSE, "SecurityHeadersConfig.XSSProtection", {"Override": True, "Protection": True, "ModeBlock": True, "ReportUri": "/r"},
     "InvalidArgument"),
    (RESPONSE, "SecurityHeadersConfig.ReferrerPolicy", {"Override": True, "ReferrerPolicy": "never"}, "MalformedXML"),
    (RESPONSE, "ServerTimingHeadersConfig.SamplingRate", 100.5, "InvalidArgument"),
    (RESPONSE, "ServerTimingHeadersConfig.SamplingRate", -1.0, "InvalidArgument"),
]


@pytest.mark.parametrize("kind,path,value,code", WRONG,
                         ids=lambda part: part.name if isinstance(part, Kind) else str(part)[:40])
def test_a_value_out_of_range_is_refused_by_name(api, unique, kind, path, value, code):
    config = changed(kind.make(unique()), path, value)
    error = api.refused(f"Create{kind.name}", code, why="out of range", **{kind.config: config})
    place = [part for part in path.split(".") if not part.isdigit()]
    assert any(part in error["Message"] for part in place[-2:]), error
    made = kind.create(api, unique())
    api.refused(f"Update{kind.name}", code, why="out of range", Id=made[kind.shape]["Id"], IfMatch=made["ETag"], **{kind.config: config})
    assert api.call(f"Get{kind.name}", Id=made[kind.shape]["Id"])["ETag"] == made["ETag"], "nothing was changed"
    kind.delete(api, made)


def test_every_fault_of_a_policy_is_told(api, unique):
    config = CACHE.make(unique())
    config = changed(changed(changed(config, "Comment", "c" * 129), "MinTTL", 9), f"{KEY}.CookiesConfig.Cookies", names("a", "a"))
    message = api.refused("CreateCachePolicy", "InvalidArgument", why="out of range", CachePolicyConfig=config)["Message"]
    assert all(part in message for part in ("Comment", "MinTTL", "CookiesConfig")), message


def test_a_change_of_a_policy_is_in_force_for_whoever_uses_it(api, unique, distribution, near):
    """Caching that is switched off in the policy is off at the edge."""
    with parts.Origin({"/a": b"one", "/b": b"two"}) as web:
        made = CACHE.create(api, unique(), MinTTL=60, DefaultTTL=60, MaxTTL=60)
        origin = {"Id": "web", "DomainName": "127.0.0.1", "CustomOriginConfig": {
            "HTTPPort": web.port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}
        behaviour = {**surface.config_of("x")["DefaultCacheBehavior"], "CachePolicyId": made["CachePolicy"]["Id"]}
        shown = distribution(Origins={"Quantity": 1, "Items": [origin]}, DefaultCacheBehavior=behaviour)["Distribution"]
        deployed(api, shown["Id"])
        assert [near.get(shown["DomainName"], "/a").cache for _ in range(2)] == ["Miss", "Hit"]
        off = {"Name": unique(), "MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 0}
        api.ok("UpdateCachePolicy", Id=made["CachePolicy"]["Id"], IfMatch=made["ETag"], CachePolicyConfig=off)
        deployed(api, shown["Id"])
        assert [near.get(shown["DomainName"], "/b").cache for _ in range(2)] == ["Miss", "Miss"]


def deployed(api, distribution):
    parts.until(lambda: api.call("GetDistribution", Id=distribution)["Distribution"]["Status"] == "Deployed", what="deployed")
