"""Trust stores: bundles of authorities, read from the object store and kept."""

import subprocess

import pytest
import surface

import nearfront as parts

BUCKET = "authorities"


def authority(folder, name="authority"):
    """A self-signed authority's certificate, PEM."""
    return certificate(folder, name, "CA:TRUE")


def certificate(folder, name, constraints):
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", pem, "-subj", f"/CN={name}", "-days", "2",
                    "-addext", f"basicConstraints=critical,{constraints}"], check=True, capture_output=True)
    return pem.read_bytes()


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """Certificates of two authorities, and one of nobody's."""
    folder = tmp_path_factory.mktemp("pem")
    return [authority(folder, "one"), authority(folder, "two"), certificate(folder, "leaf", "CA:FALSE")]


@pytest.fixture
def place(buckets, unique):
    """Puts a bundle where it can be read, and says where that is."""
    def put(body):
        key = f"{unique('bundles/bundle')}.pem"
        path = buckets / BUCKET / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return at(key)
    return put


def at(key, bucket=BUCKET, region="eu-west-1", **more):
    return {"CaCertificatesBundleS3Location": {"Bucket": bucket, "Key": key, "Region": region, **more}}


@pytest.mark.proves("CreateTrustStore", "GetTrustStore", "ListTrustStores", "UpdateTrustStore", "DeleteTrustStore")
def test_a_trust_store_lives_and_is_gone(api, unique, pem, place, buckets):
    name = unique("store")
    made = api.ok("CreateTrustStore", Name=name, CaCertificatesBundleSource=place(pem[0] + b"# and\n" + pem[1]),
                  Tags={"Items": [{"Key": "team", "Value": "edge"}]})
    store = made["TrustStore"]
    assert (store["Name"], store["Status"], store["NumberOfCaCertificates"]) == (name, "active", 2)
    assert store["Id"].startswith("ts_") and store["UseClientCertificateOCSPEndpoint"] is False
    assert store["Arn"] == f"arn:aws:cloudfront::000000000000:trust-store/{store['Id']}"
    assert api.ok("ListTagsForResource", Resource=store["Arn"])["Tags"]["Items"][0]["Value"] == "edge"
    for identifier in (store["Id"], name, store["Arn"]):
        shown = api.ok("GetTrustStore", Identifier=identifier)
        assert shown["TrustStore"] == store and shown["ETag"] == made["ETag"]

    one = {"Id": store["Id"]}
    changed = api.ok("UpdateTrustStore", IfMatch=made["ETag"], CaCertificatesBundleSource=place(pem[0]), **one)
    assert changed["TrustStore"]["NumberOfCaCertificates"] == 1 and changed["ETag"] != made["ETag"]
    asks = api.ok("UpdateTrustStore", IfMatch=changed["ETag"], UseClientCertificateOCSPEndpoint=True, **one)
    shown = asks["TrustStore"]
    assert (shown["UseClientCertificateOCSPEndpoint"], shown["NumberOfCaCertificates"]) == (True, 1)
    rows = {row["Id"]: row for row in everything(api)}
    assert rows[store["Id"]]["ETag"] == asks["ETag"] and rows[store["Id"]]["NumberOfCaCertificates"] == 1

    api.ok("DeleteTrustStore", IfMatch=asks["ETag"], **one)
    api.refused("GetTrustStore", "EntityNotFound", why="wrong id", Identifier=name)
    assert store["Id"] not in [row["Id"] for row in everything(api)]


def everything(api, **more):
    found, marker = [], {}
    while True:
        answer = api.ok("ListTrustStores", **marker, **more)
        found += answer["TrustStoreList"]
        if not answer.get("NextMarker"):
            return found
        marker = {"Marker": answer["NextMarker"]}


def test_pages_show_every_trust_store_once(api, unique, pem, place):
    made = [api.call("CreateTrustStore", Name=unique("store"), CaCertificatesBundleSource=place(pem[0])) for _ in range(3)]
    whole = [row["Id"] for row in everything(api)]
    assert [row["Id"] for row in everything(api, MaxItems=1)] == whole
    for one in made:
        api.call("DeleteTrustStore", Id=one["TrustStore"]["Id"], IfMatch=one["ETag"])


def test_what_the_bundle_says_is_kept_when_the_file_is_gone(api, unique, pem, place, buckets):
    source = place(pem[0])
    made = api.ok("CreateTrustStore", Name=unique("store"), CaCertificatesBundleSource=source)
    (buckets / BUCKET / source["CaCertificatesBundleS3Location"]["Key"]).unlink()
    one = made["TrustStore"]["Id"]
    assert api.ok("GetTrustStore", Identifier=one)["TrustStore"]["NumberOfCaCertificates"] == 1
    api.refused("UpdateTrustStore", "EntityNotFound", why="other", says="does not exist", Id=one, IfMatch=made["ETag"],
                CaCertificatesBundleSource=source)
    api.ok("DeleteTrustStore", Id=one, IfMatch=made["ETag"])


def test_a_change_to_what_is_no_bundle_leaves_the_store_as_it_was(api, unique, pem, place):
    made = api.call("CreateTrustStore", Name=unique("store"), CaCertificatesBundleSource=place(pem[0]))
    one = made["TrustStore"]["Id"]
    for bundle in (b"hello", pem[0] * 26):
        api.refused("UpdateTrustStore", "InvalidArgument", why="out of range", Id=one, IfMatch=made["ETag"],
                    CaCertificatesBundleSource=place(bundle))
    kept = api.call("GetTrustStore", Identifier=one)
    assert kept["ETag"] == made["ETag"] and kept["TrustStore"]["NumberOfCaCertificates"] == 1
    api.call("DeleteTrustStore", Id=one, IfMatch=made["ETag"])


def test_what_is_no_bundle_of_authorities_is_refused_with_the_reason(api, unique, pem, place):
    wrong = [
        ("InvalidArgument", "no PEM certificate", place(b"hello")),
        ("InvalidArgument", "certificate 2: CN=leaf", place(pem[0] + pem[2])),
        ("InvalidArgument", "at most 25", place(pem[0] * 26)),
        ("InvalidArgument", "65536", place(pem[0] + b"#" * 65536)),
        ("EntityNotFound", "does not exist", at("nothing.pem")),
        ("InvalidArgument", "Region", at("x.pem", region="europe")),
        ("InvalidArgument", "Bucket", at("x.pem", bucket="b")),
        ("InvalidArgument", "version", {"CaCertificatesBundleS3Location": {
            **place(pem[0])["CaCertificatesBundleS3Location"], "Version": "v1"}}),
    ]
    for code, says, source in wrong:
        api.refused("CreateTrustStore", code, why="out of range", says=says, Name=unique(), CaCertificatesBundleSource=source)
    good = place(pem[0])
    api.refused("CreateTrustStore", "InvalidArgument", why="out of range", says="Name", Name="not a name",
                CaCertificatesBundleSource=good)
    api.refused("CreateTrustStore", "MalformedXML", why="missing field", Name=unique())
    api.refused("CreateTrustStore", "MalformedXML", why="missing field", Name=unique(), CaCertificatesBundleSource={})
    api.refused("CreateTrustStore", "MalformedXML", why="missing field", CaCertificatesBundleSource=good)
    api.refused("ListTrustStores", "InvalidArgument", why="out of range", MaxItems=0)
    api.refused("ListTrustStores", "InvalidArgument", why="wrong id", Marker="not/a/marker")


def test_what_is_taken_stale_or_unknown_is_refused(api, unique, pem, place):
    name, source = unique("store"), place(pem[0])
    made = api.ok("CreateTrustStore", Name=name, CaCertificatesBundleSource=source)
    one, etag = made["TrustStore"]["Id"], made["ETag"]
    api.refused("CreateTrustStore", "EntityAlreadyExists", why="taken", Name=name, CaCertificatesBundleSource=source)
    for operation, more in (("UpdateTrustStore", {"CaCertificatesBundleSource": source}), ("DeleteTrustStore", {})):
        api.refused(operation, "EntityNotFound", why="wrong id", Id="ts_no", IfMatch=etag, **more)
        api.refused(operation, "PreconditionFailed", why="stale etag", Id=one, IfMatch="E2VJGGQEG1JT8S", **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Id=one, IfMatch="", **more)
    api.refused("UpdateTrustStore", "InvalidArgument", why="missing field", says="nothing to change", Id=one, IfMatch=etag)
    api.ok("DeleteTrustStore", Id=one, IfMatch=etag)


def test_a_distribution_cannot_trust_one_yet_and_says_whether_it_is_there(api, unique, pem, place):
    made = api.ok("CreateTrustStore", Name=unique("store"), CaCertificatesBundleSource=place(pem[0]))

    def asked(one):
        mtls = {"Mode": "required", "TrustStoreConfig": {"TrustStoreId": one}}
        return surface.config_of(unique(), ViewerMtlsConfig=mtls)

    one = made["TrustStore"]["Id"]
    api.refused("CreateDistribution", "UnsupportedOperation", why="not honoured", DistributionConfig=asked(one))
    api.refused("CreateDistribution", "EntityNotFound", why="wrong id", DistributionConfig=asked("ts_no"))
    api.ok("DeleteTrustStore", Id=one, IfMatch=made["ETag"])


def test_a_version_of_a_bundle_is_read_from_a_server_that_keeps_versions(pem, tmp_path):
    """S3 itself, with signed requests: which version was asked for is what comes."""
    with parts.S3() as s3, parts.Up(settings={"object_stores": {"default": s3.store()}}) as near:
        bucket = s3.bucket(BUCKET)
        bucket.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        old = bucket.put_object(Bucket=BUCKET, Key="bundle.pem", Body=pem[0] + pem[1])["VersionId"]
        bucket.put_object(Bucket=BUCKET, Key="bundle.pem", Body=pem[0])
        api = surface.Api(**surface.credentials(near))
        newest = api.ok("CreateTrustStore", Name="newest", CaCertificatesBundleSource=at("bundle.pem"))
        assert newest["TrustStore"]["NumberOfCaCertificates"] == 1
        older = api.ok("CreateTrustStore", Name="older", CaCertificatesBundleSource=at("bundle.pem", Version=old))
        assert older["TrustStore"]["NumberOfCaCertificates"] == 2
