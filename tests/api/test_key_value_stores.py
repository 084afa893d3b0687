"""Key value stores: the stores by the management API, what they hold by the API of their own.

SDKs sign the second with SigV4A and put the account in front of the endpoint's host. The name that
comes of it, `000000000000.localhost`, is loopback's by RFC 6761 §6.3; where the system's resolver
does not know that, `surface.loopback` does in this process.
"""

import json
import os
import random
import subprocess
import sys
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.crt.auth
import botocore.credentials
import pytest
import surface
from botocore.exceptions import ClientError

import nearfront as parts

BUCKET = "imports"
DATA = "cloudfront-keyvaluestore"
ACCOUNT = "000000000000"
#: Keys that something on the way could take for something else.
ODD = ["a/b", "a b", "\u00fc\u65e5\U0001f600", "a%2Fb", "a+b", "?#&=", "a//b", "/", "\"\\\n\t", "~._-",
       "\u00fc" * 256, "k" * 512, "k" * 299 + "\u00fc" + "k" * 200]


@pytest.fixture
def data(near, client, monkeypatch):
    """The API of what stores hold, by a client that signs with SigV4A."""
    surface.loopback(monkeypatch)
    return client(DATA, url=f"http://localhost:{near.port('control')}")


@pytest.fixture
def make(api, unique):
    """Makes stores; those that are still there are deleted afterwards."""
    made = []

    def one(name=None, **more):
        answer = api.ok("CreateKeyValueStore", Name=name or unique("store"), **more)
        made.append(answer["KeyValueStore"]["Name"])
        return answer

    yield one
    for name in made:
        try:
            etag = api.call("DescribeKeyValueStore", Name=name)["ETag"]
        except api.client.exceptions.EntityNotFound:
            continue
        api.call("DeleteKeyValueStore", Name=name, IfMatch=etag)


@pytest.fixture
def store(make, data):
    """An empty store: its ARN."""
    return make()["KeyValueStore"]["ARN"]


@pytest.fixture
def file(buckets, unique):
    """Puts a file from which a store can be filled, and gives its ImportSource."""
    def put(body):
        key = f"{unique('file')}.json"
        path = buckets / BUCKET / key
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
        return source(key)
    return put


def source(key, bucket=BUCKET):
    return {"SourceType": "S3", "SourceARN": f"arn:aws:s3:::{bucket}/{key}"}


def settled(api, name):
    """The store once it is no longer being filled."""
    return parts.until(lambda: (shown := api.ok("DescribeKeyValueStore", Name=name)["KeyValueStore"])
                       and shown["Status"] != "PROVISIONING" and shown, what=f"{name} filled")


def tag(data, arn):
    return data.ok("DescribeKeyValueStore", KvsARN=arn)["ETag"]


def everything(data, arn, **more):
    """All pairs, page by page."""
    found, token = {}, {}
    while True:
        page = data.ok("ListKeys", KvsARN=arn, **token, **more)
        assert not found.keys() & {item["Key"] for item in page["Items"]}, "a key is shown once"
        found |= {item["Key"]: item["Value"] for item in page["Items"]}
        if not page.get("NextToken"):
            return found
        token = {"NextToken": page["NextToken"]}


# The stores


@pytest.mark.proves("CreateKeyValueStore", "DescribeKeyValueStore", "UpdateKeyValueStore", "DeleteKeyValueStore",
                    "ListKeyValueStores")
def test_a_store_lives_and_is_gone(api, make, unique, data):
    name = unique("store")
    made = make(name, Comment="first", Tags={"Items": [{"Key": "team", "Value": "edge"}]})
    store = made["KeyValueStore"]
    assert (store["Name"], store["Comment"], store["Status"]) == (name, "first", "READY")
    assert store["ARN"] == f"arn:aws:cloudfront::{ACCOUNT}:key-value-store/{store['Id']}" and len(store["Id"]) == 36
    assert made["Location"].endswith(f"/2020-05-31/key-value-store/{store['ARN']}")
    assert api.ok("ListTagsForResource", Resource=store["ARN"])["Tags"]["Items"] == [{"Key": "team", "Value": "edge"}]
    changed = api.ok("UpdateKeyValueStore", Name=name, IfMatch=made["ETag"], Comment="second")
    assert changed["ETag"] != made["ETag"] and changed["KeyValueStore"]["Comment"] == "second"
    shown = api.ok("DescribeKeyValueStore", Name=name)
    assert shown["ETag"] == changed["ETag"] and shown["KeyValueStore"] == changed["KeyValueStore"]
    assert shown["KeyValueStore"]["LastModifiedTime"] >= store["LastModifiedTime"]
    assert [row for row in stores(api) if row["Name"] == name] == [shown["KeyValueStore"]]
    api.ok("DeleteKeyValueStore", Name=name, IfMatch=changed["ETag"])
    api.refused("DescribeKeyValueStore", "EntityNotFound", why="wrong id", Name=name)
    data.refused("DescribeKeyValueStore", "ResourceNotFoundException", why="wrong id", KvsARN=store["ARN"])
    assert name not in [row["Name"] for row in stores(api)]


def stores(api, **more):
    found, marker = [], {}
    while True:
        page = api.ok("ListKeyValueStores", **marker, **more)["KeyValueStoreList"]
        found += page.get("Items", [])
        assert page["Quantity"] == len(page.get("Items", []))
        if not page.get("NextMarker"):
            return found
        marker = {"Marker": page["NextMarker"]}


def test_pages_show_every_store_once_and_a_filter_holds(api, make, file):
    failed = make(ImportSource=file(b"no"))["KeyValueStore"]["Name"]
    for _ in range(2):
        make()
    settled(api, failed)
    whole = [row["Name"] for row in stores(api)]
    assert [row["Name"] for row in stores(api, MaxItems="1")] == whole
    assert failed in [row["Name"] for row in stores(api, Status="IMPORT_FAILED", MaxItems="1")]
    ready = [row["Name"] for row in stores(api, Status="READY", MaxItems="2")]
    assert failed not in ready and set(ready) < set(whole)
    api.refused("ListKeyValueStores", "InvalidArgument", why="out of range", Status="WORN")
    api.refused("ListKeyValueStores", "InvalidArgument", why="out of range", MaxItems="0")
    api.refused("ListKeyValueStores", "InvalidArgument", why="wrong id", Marker="not/a/marker")


def test_wrong_calls_of_stores_are_refused(api, make, unique):
    made = make(name := unique("store"))
    api.refused("CreateKeyValueStore", "EntityAlreadyExists", why="taken", Name=name)
    api.refused("CreateKeyValueStore", "InvalidArgument", why="out of range", says="Name", Name="not a name")
    api.refused("CreateKeyValueStore", "InvalidArgument", why="out of range", says="Comment", Name=unique(), Comment="c" * 129)
    api.refused("CreateKeyValueStore", "MalformedXML", why="missing field", says="Name", Comment="")
    for arn in ("arn:aws:s3:::bucket", "arn:aws:s3:::/key", "bucket/key", "arn:aws:sqs:::bucket/key"):
        api.refused("CreateKeyValueStore", "InvalidArgument", why="out of range", says="SourceARN", Name=unique(),
                    ImportSource={"SourceType": "S3", "SourceARN": arn})
    for operation, more in (("UpdateKeyValueStore", {"Comment": ""}), ("DeleteKeyValueStore", {})):
        api.refused(operation, "EntityNotFound", why="wrong id", Name=unique(), IfMatch=made["ETag"], **more)
        api.refused(operation, "PreconditionFailed", why="stale etag", Name=name, IfMatch="E2VJGGQEG1JT8S", **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", Name=name, IfMatch="", **more)
    api.refused("UpdateKeyValueStore", "InvalidArgument", why="out of range", says="Comment", Name=name,
                IfMatch=made["ETag"], Comment="c" * 129)
    api.refused("UpdateKeyValueStore", "MissingBody", why="missing field", Name=name, IfMatch=made["ETag"])


# Filling


@pytest.mark.proves("CreateKeyValueStore", "ListKeys", "DescribeKeyValueStore:data")
def test_a_store_is_filled_from_a_file(api, make, data, file):
    pairs = {f"key/{number} \u00fc": f"value {number}" for number in range(120)} | {"k" * 512: "v" * 1024, "empty": ""}
    made = make(ImportSource=file({"data": [{"key": key, "value": value} for key, value in pairs.items()]}))
    store = made["KeyValueStore"]
    assert settled(api, store["Name"])["Status"] == "READY"
    assert api.ok("DescribeKeyValueStore", Name=store["Name"])["ETag"] == made["ETag"]
    assert everything(data, store["ARN"]) == pairs
    shown = data.ok("DescribeKeyValueStore", KvsARN=store["ARN"])
    size = sum(len(key.encode()) + len(value.encode()) for key, value in pairs.items())
    assert (shown["ItemCount"], shown["TotalSizeInBytes"], shown["Status"]) == (len(pairs), size, "READY")
    assert shown["KvsARN"] == store["ARN"] and shown["Created"] <= shown["LastModified"]
    assert shown["ETag"].startswith("KV") and shown["ETag"] != made["ETag"]


def test_a_store_of_very_many_keys_is_filled_and_cleared_away(api, make, data, file, near):
    """More than one commit can write."""
    pairs = [{"key": f"{number:x}", "value": ""} for number in range(12_000)]
    made = make(ImportSource=file({"data": pairs}))
    store = made["KeyValueStore"]
    parts.until(lambda: settled(api, store["Name"])["Status"] == "READY", within=60, what="READY")
    assert data.ok("DescribeKeyValueStore", KvsARN=store["ARN"])["ItemCount"] == len(pairs)
    api.ok("DeleteKeyValueStore", Name=store["Name"], IfMatch=made["ETag"])
    data.refused("GetKey", "ResourceNotFoundException", why="wrong id", KvsARN=store["ARN"], Key="1")


@pytest.mark.parametrize(("body", "says"), [
    (b"no", "not JSON"),
    ({"data": {"k": "v"}}, "not JSON"),
    ({"data": [{"key": "k", "value": 1}]}, "not JSON"),
    ({"data": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]}, "twice"),
    ({"data": [{"key": "k" * 513, "value": ""}]}, "513 bytes"),
    ({"data": [{"key": "k", "value": "v" * 1025}]}, "1025 bytes"),
    ({"data": [{"key": f"{number}", "value": "v" * 1024} for number in range(5_200)]}, "5242880"),
])
def test_a_file_that_is_none_fails_with_the_reason(api, make, data, file, body, says):
    store = make(ImportSource=file(body))["KeyValueStore"]
    failed(api, data, store, says)


def test_a_file_that_is_not_there_fails_with_the_reason(api, make, data):
    failed(api, data, make(ImportSource=source("nothing.json"))["KeyValueStore"], "does not exist")


def failed(api, data, store, says):
    assert settled(api, store["Name"])["Status"] == "IMPORT_FAILED"
    shown = data.ok("DescribeKeyValueStore", KvsARN=store["ARN"])
    assert shown["Status"] == "IMPORT_FAILED" and says in shown["FailureReason"], shown
    arn = {"KvsARN": store["ARN"]}
    data.refused("GetKey", "ConflictException", says="could not be filled", Key="k", **arn)
    data.refused("ListKeys", "ConflictException", says="could not be filled", **arn)
    data.refused("PutKey", "ConflictException", says="could not be filled", Key="k", Value="v", IfMatch=shown["ETag"], **arn)


def test_without_an_object_store_filling_is_refused_at_once(unique):
    with parts.Up() as near:
        api = surface.Api(**surface.credentials(near))
        api.refused("CreateKeyValueStore", "InvalidArgument", says="object_stores", Name=unique(), ImportSource=source("k"))
        assert stores(api) == []


def test_a_store_is_filled_from_s3_and_an_interrupted_filling_is_taken_up_again(unique, monkeypatch):
    """SeaweedFS verifies our signature; the process is killed as soon as the store is there."""
    surface.loopback(monkeypatch)
    pairs = [{"key": f"k{number}", "value": "v"} for number in range(9_000)]
    with parts.S3() as s3, parts.Up(settings={"object_stores": {"default": s3.store()}}) as near:
        s3.bucket(BUCKET, {"pairs.json": json.dumps({"data": pairs}).encode()})
        api = surface.Api(**surface.credentials(near))
        store = api.ok("CreateKeyValueStore", Name=unique(), ImportSource=source("pairs.json"))["KeyValueStore"]
        near.kill()
        near.restart()
        known = surface.credentials(near)
        api = surface.Api(**known)
        parts.until(lambda: settled(api, store["Name"])["Status"] == "READY", within=60, what="READY")
        data = surface.Api(**{**known, "url": f"http://localhost:{near.port('control')}"}, service=DATA)
        assert data.ok("DescribeKeyValueStore", KvsARN=store["ARN"])["ItemCount"] == len(pairs)


# What stores hold


@pytest.mark.proves("PutKey", "GetKey", "DeleteKey", "ListKeys", "DescribeKeyValueStore:data")
def test_pairs_are_put_read_and_taken_away(data, store):
    first = tag(data, store)
    put = data.ok("PutKey", KvsARN=store, Key="greeting", Value="hello", IfMatch=first)
    assert (put["ItemCount"], put["TotalSizeInBytes"]) == (1, 13) and put["ETag"] != first
    assert tag(data, store) == put["ETag"]
    shown = data.ok("GetKey", KvsARN=store, Key="greeting")
    assert {**shown, "ResponseMetadata": None} == {
        "Key": "greeting", "Value": "hello", "ItemCount": 1, "TotalSizeInBytes": 13, "ResponseMetadata": None}
    again = data.ok("PutKey", KvsARN=store, Key="greeting", Value="hi", IfMatch=put["ETag"])
    assert (again["ItemCount"], again["TotalSizeInBytes"]) == (1, 10)
    assert everything(data, store) == {"greeting": "hi"}
    gone = data.ok("DeleteKey", KvsARN=store, Key="greeting", IfMatch=again["ETag"])
    assert (gone["ItemCount"], gone["TotalSizeInBytes"]) == (0, 0)
    data.refused("GetKey", "ResourceNotFoundException", why="wrong id", KvsARN=store, Key="greeting")
    data.refused("DeleteKey", "ResourceNotFoundException", why="wrong id", KvsARN=store, Key="greeting", IfMatch=gone["ETag"])
    assert everything(data, store) == {}


@pytest.mark.parametrize("key", ODD)
def test_any_text_can_be_a_key(data, store, key):
    etag = data.ok("PutKey", KvsARN=store, Key=key, Value=key[:300], IfMatch=tag(data, store))["ETag"]
    assert data.ok("GetKey", KvsARN=store, Key=key)["Value"] == key[:300]
    assert everything(data, store) == {key: key[:300]}
    data.ok("DeleteKey", KvsARN=store, Key=key, IfMatch=etag)


@pytest.mark.proves("UpdateKeys")
def test_several_keys_change_at_once_or_not_at_all(data, store):
    puts = [{"Key": f"k{number:02}", "Value": str(number)} for number in range(50)]
    made = data.ok("UpdateKeys", KvsARN=store, IfMatch=tag(data, store), Puts=puts)
    assert made["ItemCount"] == 50
    changed = data.ok("UpdateKeys", KvsARN=store, IfMatch=made["ETag"], Puts=[{"Key": "k00", "Value": "new"}, {"Key": "more", "Value": ""}],
                      Deletes=[{"Key": "k01"}, {"Key": "k02"}])
    kept = {put["Key"]: put["Value"] for put in puts[3:]} | {"k00": "new", "more": ""}
    assert everything(data, store) == everything(data, store, MaxResults=7) == kept and changed["ItemCount"] == len(kept)
    size = sum(len(key) + len(value) for key, value in kept.items())
    assert changed["TotalSizeInBytes"] == size
    data.refused("UpdateKeys", "ResourceNotFoundException", why="wrong id", says="gone", KvsARN=store, IfMatch=changed["ETag"],
                 Puts=[{"Key": "k00", "Value": "not this"}], Deletes=[{"Key": "gone"}])
    assert everything(data, store) == kept and tag(data, store) == changed["ETag"]


def test_wrong_calls_of_contents_are_refused(api, data, store, make):
    etag = data.ok("PutKey", KvsARN=store, Key="k", Value="v", IfMatch=tag(data, store))["ETag"]
    arn, ours = {"KvsARN": store}, {"KvsARN": store, "IfMatch": etag}
    other = store[:-36] + "0" * 36
    foreign = store.replace(ACCOUNT, "111111111111")
    changes = [("PutKey", {"Key": "k", "Value": "v"}), ("DeleteKey", {"Key": "k"}),
               ("UpdateKeys", {"Puts": [{"Key": "k", "Value": "v"}]})]
    name = api.ok("ListKeyValueStores")["KeyValueStoreList"]["Items"]
    control = api.ok("DescribeKeyValueStore", Name=[row["Name"] for row in name if row["ARN"] == store][0])["ETag"]
    for operation, more in changes:
        for unknown in (other, foreign):
            data.refused(operation, "ResourceNotFoundException", why="wrong id", KvsARN=unknown, IfMatch=etag, **more)
        data.refused(operation, "ConflictException", why="stale etag", IfMatch="KV1F83G8C2ARO7P", **arn, **more)
        data.refused(operation, "ConflictException", why="stale etag", IfMatch=control, **arn, **more)
        data.refused(operation, "ValidationException", why="no etag", says="If-Match", IfMatch="", **arn, **more)
    for operation, more in (("GetKey", {"Key": "k"}), ("ListKeys", {}), ("DescribeKeyValueStore", {})):
        data.refused(operation, "ResourceNotFoundException", why="wrong id", KvsARN=other, **more)
    data.refused("PutKey", "ValidationException", why="missing field", says="Value", Key="k", **ours)
    data.refused("UpdateKeys", "ValidationException", why="missing field", says="Value", Puts=[{"Key": "k"}], **ours)
    data.refused("UpdateKeys", "ValidationException", why="missing field", says="nothing to do", **ours)
    out = "out of range"
    data.refused("PutKey", "ValidationException", why=out, says="513 bytes", Key="k" * 513, Value="", **ours)
    data.refused("PutKey", "ValidationException", why=out, says="1025 bytes", Key="k", Value="v" * 1025, **ours)
    data.refused("DeleteKey", "ValidationException", why=out, says="513 bytes", Key="k" * 513, **ours)
    data.refused("UpdateKeys", "ValidationException", why=out, says="twice", **ours,
                 Puts=[{"Key": "k", "Value": "1"}], Deletes=[{"Key": "k"}])
    data.refused("UpdateKeys", "ServiceQuotaExceededException", why=out, status=402, says="51 keys", **ours,
                 Puts=[{"Key": str(number), "Value": ""} for number in range(51)])
    for most in (0, 51):
        data.refused("ListKeys", "ValidationException", why=out, says="MaxResults", MaxResults=most, **arn)
    data.refused("ListKeys", "ValidationException", why=out, says="NextToken", NextToken="!", **arn)
    assert everything(data, store) == {"k": "v"} and tag(data, store) == etag


def test_a_store_holds_five_megabytes_and_no_more(api, make, data, file):
    pairs = [{"key": f"{number:04}", "value": "v" * 1020} for number in range(4_900)]
    store = make(ImportSource=file({"data": pairs}))["KeyValueStore"]
    assert settled(api, store["Name"])["Status"] == "READY"
    arn, etag, bytes_ = {"KvsARN": store["ARN"]}, tag(data, store["ARN"]), 4_900 * 1024
    room = 5 * 1024 * 1024 - bytes_
    while room >= 1024:
        number = min(50, room // 1024)
        puts = [{"Key": f"{room:08}-{one:03}", "Value": "v" * (1024 - 12)} for one in range(number)]
        etag, room = data.ok("UpdateKeys", IfMatch=etag, Puts=puts, **arn)["ETag"], room - number * 1024
    assert room == 0
    data.refused("PutKey", "ServiceQuotaExceededException", why="out of range", status=402, says="5242880", Key="x", Value="",
                 IfMatch=etag, **arn)
    etag = data.ok("PutKey", Key="0000", Value="v" * 1019, IfMatch=etag, **arn)["ETag"]
    assert data.ok("PutKey", Key="x", Value="", IfMatch=etag, **arn)["TotalSizeInBytes"] == 5 * 1024 * 1024


def test_of_many_who_change_a_store_at_once_one_wins_each_time(data, near, store):
    """Every change that was answered with success is there, and counted."""
    import concurrent.futures

    def add(name):
        while True:
            try:
                return data.ok("PutKey", KvsARN=store, Key=name, Value="v", IfMatch=tag(data, store))
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ConflictException"

    names = [f"k{number}" for number in range(24)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        etags = [answer["ETag"] for answer in pool.map(add, names)]
    assert len(set(etags)) == len(names)
    assert sorted(everything(data, store)) == sorted(names)
    assert data.ok("DescribeKeyValueStore", KvsARN=store)["ItemCount"] == len(names)


def test_a_fleet_keeps_the_same_pairs_in_redis_and_clears_them_away(unique, monkeypatch):
    surface.loopback(monkeypatch)
    with parts.Fleet(edges=1) as fleet:
        known = surface.credentials(fleet.control)
        api = surface.Api(**known)
        data = surface.Api(**{**known, "url": f"http://localhost:{fleet.control.port('control')}"}, service=DATA)
        made = api.ok("CreateKeyValueStore", Name=unique("store"))
        store = made["KeyValueStore"]
        pairs = {key: key[:1024] for key in [*ODD, *(f"k{number}" for number in range(60))]}
        for some in [list(pairs)[at:at + 40] for at in range(0, len(pairs), 40)]:
            data.ok("UpdateKeys", KvsARN=store["ARN"], IfMatch=tag(data, store["ARN"]),
                    Puts=[{"Key": key, "Value": pairs[key]} for key in some])
        assert everything(data, store["ARN"]) == pairs

        def kept():
            names = subprocess.run([parts.tool("redis-cli"), "-p", str(fleet.redis.port), "zrange", "{nearfront}:names", "0", "-1"],
                                   capture_output=True, check=True).stdout.decode()
            # Its history stays; what it held, and every trace of clearing it away, must not.
            return [name for name in names.splitlines() if name.startswith(("kv/", "kvs")) and store["Id"] in name]

        assert len(kept()) > len(pairs)
        api.ok("DeleteKeyValueStore", Name=store["Name"], IfMatch=made["ETag"])
        parts.until(lambda: not kept(), what="nothing left of the store")
        parts.until(lambda: fleet.edges[0].ready(), what="an edge that minds none of this")


# Signatures


def test_the_client_really_signs_with_version_4a_and_names_the_account_in_the_host(data, store):
    seen = []
    data.client.meta.events.register("before-send.*", lambda request, **_: seen.append(request))
    tag(data, store)
    header = seen[0].headers["Authorization"]
    assert (header if isinstance(header, str) else header.decode()).startswith("AWS4-ECDSA-P256-SHA256 ")
    assert seen[0].url.startswith(f"http://{ACCOUNT}.localhost:")


def test_version_4_of_the_signature_serves_as_well(near, store):
    known = surface.credentials(near)
    url = f"{known['url']}/key-value-stores/{store.replace(':', '%3A').replace('/', '%2F')}"
    request = botocore.awsrequest.AWSRequest("GET", url)
    keys = botocore.credentials.Credentials(known["key"], known["secret"])
    botocore.auth.SigV4Auth(keys, DATA, "us-east-1").add_auth(request)
    answer = parts.fetch(near.port("control"), near.run["control"], url.removeprefix(known["url"]), headers=dict(request.headers))
    assert answer.status == 200 and json.loads(answer.body)["KvsARN"] == store


def signed(near, scheme, method, path, body=b"", headers=None, service=DATA, **more):
    """A request as one of AWS's own signers leaves it: URL, headers."""
    known = surface.credentials(near)
    request = botocore.awsrequest.AWSRequest(method, known["url"] + path, headers or {}, body)
    keys = botocore.credentials.Credentials(known["key"], known["secret"])
    scheme(keys, service, "*", **more).add_auth(request)
    url = urllib.parse.urlsplit(request.url)
    target = url.path + (f"?{url.query}" if url.query else "")
    rest = {name: value for name, value in dict(request.headers).items() if name.lower() != "host"}
    return target, {"Host": url.netloc, **rest}


def sent(near, target, method="GET", headers=None, body=None):
    return parts.fetch(near.port("control"), headers.pop("Host"), target, method, headers, body)


def test_a_presigned_address_serves_until_it_is_changed(near, store):
    path = f"/key-value-stores/{urllib.parse.quote(store, safe='')}"
    target, headers = signed(near, botocore.crt.auth.CrtSigV4AsymQueryAuth, "GET", path, expires=60)
    assert "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256" in target and "X-Amz-Region-Set=%2A" in target
    assert sent(near, target, headers=dict(headers)).status == 200
    for wrong in (target.replace("Expires=60", "Expires=61"), target.replace("Region-Set=%2A", "Region-Set=us-east-1"),
                  target.replace("&X-Amz-Region-Set=%2A", ""), target[:-1] + "g"):
        assert wrong != target and sent(near, wrong, headers=dict(headers)).status in (400, 403), wrong


def test_no_bit_of_a_signed_request_can_be_flipped(near, data, store):
    etag = tag(data, store)
    path = f"/key-value-stores/{urllib.parse.quote(store, safe='')}/keys/k"
    headers = {"Content-Type": "application/json", "If-Match": etag}
    target, headers = signed(near, botocore.crt.auth.CrtSigV4AsymAuth, "PUT", path, b'{"Value": "v"}', headers)
    assert headers["Authorization"].startswith("AWS4-ECDSA-P256-SHA256 ")
    chance = random.Random(4)

    def bent(text):
        """One bit of one character flipped, such that HTTP can still carry it."""
        while True:
            place = chance.randrange(len(text))
            other = chr(ord(text[place]) ^ 1 << chance.randrange(7))
            if "!" <= other <= "~" and other not in "#?":
                return text[:place] + other + text[place + 1:]

    parts_of = [lambda: (bent(target), headers, b'{"Value": "v"}'), lambda: (target, headers, bent('{"Value":"v"}').encode())]
    for name in ("Authorization", "If-Match", "X-Amz-Date", "X-Amz-Region-Set", "Content-Type", "Host"):
        parts_of.append(lambda name=name: (target, {**headers, name: bent(headers[name])}, b'{"Value": "v"}'))
    for number in range(400):
        there, those, body = parts_of[number % len(parts_of)]()
        answer = sent(near, there, "PUT", dict(those), body)
        assert 400 <= answer.status < 500, (there, those, body, answer)
    assert everything(data, store) == {} and tag(data, store) == etag
    assert sent(near, target, "PUT", dict(headers), b'{"Value": "v"}').status == 200
    assert everything(data, store) == {"k": "v"}


def test_a_path_that_can_be_read_in_two_ways_is_refused(near, data, store):
    """Or a policy would be asked about one store, and another one be read."""
    data.ok("PutKey", KvsARN=store, Key="k", Value="v", IfMatch=tag(data, store))
    arn = urllib.parse.quote(store, safe="")
    other = urllib.parse.quote(store[:-36] + "0" * 36, safe="")
    scheme = botocore.crt.auth.CrtSigV4AsymAuth
    for path in (f"/key-value-stores/{other}/keys/../../{arn}/keys/k", f"/key-value-stores/{arn}/keys/./k",
                 f"/key-value-stores/{arn}//keys/k", f"//key-value-stores/{arn}/keys/k", f"/key-value-stores/{arn}/keys/",
                 f"/key-value-stores/{arn}/keys/k/k"):
        target, headers = signed(near, scheme, "GET", path)
        answer = sent(near, target, headers=headers)
        assert answer.status in (400, 403, 404) and b'"v"' not in answer.body, (path, answer)


def test_version_4a_serves_for_contents_alone(near, store):
    """Everything else is signed with version 4, as its clients do."""
    scheme = botocore.crt.auth.CrtSigV4AsymAuth
    target, headers = signed(near, scheme, "GET", "/2020-05-31/distribution", service="cloudfront")
    answer = sent(near, target, headers=headers)
    assert answer.status == 400 and b"IncompleteSignature" in answer.body


def test_another_secret_does_not_verify(near, client, store, monkeypatch):
    other = client(DATA, url=f"http://localhost:{near.port('control')}", secret="x" * 40)
    with pytest.raises(ClientError) as raised:
        other.call("DescribeKeyValueStore", KvsARN=store)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert raised.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("told", ["by the environment", "by files"])
def test_the_aws_cli_reads_and_writes_a_store(near, data, store, tmp_path, told):
    """As `nearfront env` and the files of the first start tell it; its process resolves names as this one does."""
    files = {"AWS_CONFIG_FILE": str(near.data / "aws/config"), "AWS_SHARED_CREDENTIALS_FILE": str(near.data / "aws/credentials")}
    more = files if told == "by files" else near.aws_env()
    (tmp_path / "sitecustomize.py").write_text("import surface\nsurface.loopback()\n")
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.pathsep.join([str(tmp_path), here, os.path.join(os.path.dirname(here), "e2e")])
    env = {**os.environ, "PYTHONPATH": path, **more}
    for name in [name for name in env if name.startswith("AWS_") and name not in more]:
        del env[name]

    def aws(*command):
        done = subprocess.run([sys.executable, "-m", "awscli", DATA, *command, "--output", "json"],
                              env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    etag = aws("describe-key-value-store", "--kvs-arn", store)["ETag"]
    aws("put-key", "--kvs-arn", store, "--key", "k", "--value", "v", "--if-match", etag)
    assert aws("list-keys", "--kvs-arn", store)["Items"] == [{"Key": "k", "Value": "v"}]
