"""Functions and connection functions: code in two stages, by an unmodified client."""

import json

import pytest
import surface

import nearfront as parts

HELLO = b"function handler(event) { return event.request; }"
AGAIN = "function handler(event) { /* \u00fc */ return event.request; }".encode()
CONNECTION = b"function connectionHandler(connection) { connection.allow(); }"
EVENT = json.dumps({"version": "1.0", "request": {"method": "GET", "uri": "/"}}).encode()
#: 10 KB and one byte.
TOO_LONG = b"//" + b"x" * (10 * 1024 - 1)


def config(comment="", runtime="cloudfront-js-2.0", store=None):
    more = {} if store is None else {
        "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": store}]}}
    return {"Comment": comment, "Runtime": runtime, **more}


class Requests:
    """How functions for requests are called."""

    create, describe, get, list = "CreateFunction", "DescribeFunction", "GetFunction", "ListFunctions"
    update, publish, test, delete = "UpdateFunction", "PublishFunction", "TestFunction", "DeleteFunction"
    missing, taken, long, in_use = ("NoSuchFunctionExists", "FunctionAlreadyExists", "FunctionSizeLimitExceeded",
                                    "FunctionInUse")
    config, code, event = "FunctionConfig", "FunctionCode", "EventObject"
    handler, kind, said = HELLO, "function", "Name"

    @staticmethod
    def summary(answer):
        return answer["FunctionSummary"]

    @staticmethod
    def id(summary):
        return summary["Name"]

    @staticmethod
    def named(name):
        return {"Name": name}

    @staticmethod
    def about(summary):
        """ARN, stage, times."""
        meta = summary["FunctionMetadata"]
        return meta["FunctionARN"], meta["Stage"], meta["CreatedTime"], meta["LastModifiedTime"]

    changed = named
    read = named


class Connections(Requests):
    """How connection functions are called."""

    create, describe = "CreateConnectionFunction", "DescribeConnectionFunction"
    get, list = "GetConnectionFunction", "ListConnectionFunctions"
    update, publish = "UpdateConnectionFunction", "PublishConnectionFunction"
    test, delete = "TestConnectionFunction", "DeleteConnectionFunction"
    missing, taken, long = "EntityNotFound", "EntityAlreadyExists", "EntitySizeLimitExceeded"
    config, code, event = "ConnectionFunctionConfig", "ConnectionFunctionCode", "ConnectionObject"
    handler, kind, said = CONNECTION, "connection-function", "Id"

    @staticmethod
    def summary(answer):
        return answer["ConnectionFunctionSummary"]

    @staticmethod
    def id(summary):
        return summary["Id"]

    @staticmethod
    def about(summary):
        return (summary["ConnectionFunctionArn"], summary["Stage"], summary["CreatedTime"],
                summary["LastModifiedTime"])

    @staticmethod
    def changed(one):
        return {"Id": one}

    @staticmethod
    def read(one):
        return {"Identifier": one}


BOTH = pytest.mark.parametrize("sort", [Requests, Connections])


@pytest.fixture
def make(api, unique):
    """Makes functions; those that are still there are deleted afterwards."""
    made = []

    def one(sort, name=None, config_=None, code=None, **more):
        answer = api.ok(sort.create, Name=name or unique("function"),
                        **{sort.config: config_ or config(), sort.code: code or sort.handler}, **more)
        made.append((sort, sort.id(sort.summary(answer))))
        return answer

    yield one
    for sort, name in made:
        try:
            etag = api.call(sort.describe, **sort.read(name))["ETag"]
        except api.client.exceptions.ClientError:
            continue
        api.call(sort.delete, IfMatch=etag, **sort.changed(name))


@BOTH
@pytest.mark.proves("CreateFunction", "DescribeFunction", "GetFunction", "UpdateFunction", "PublishFunction",
                    "DeleteFunction", "ListFunctions", "CreateConnectionFunction", "DescribeConnectionFunction",
                    "GetConnectionFunction", "UpdateConnectionFunction", "PublishConnectionFunction",
                    "DeleteConnectionFunction", "ListConnectionFunctions")
def test_a_function_is_written_published_and_gone(api, make, unique, sort):
    name = unique("function")
    made = make(sort, name, config("first"))
    summary, one = sort.summary(made), sort.id(sort.summary(made))
    arn, stage, created, modified = sort.about(summary)
    assert (summary["Status"], stage) == ("UNPUBLISHED", "DEVELOPMENT")
    assert summary[sort.config] == {**config("first"), "KeyValueStoreAssociations": {"Quantity": 0}}
    assert arn == f"arn:aws:cloudfront::000000000000:{sort.kind}/{one}" and created <= modified
    tail = arn if sort is Requests else one
    assert made["Location"].endswith(f"/2020-05-31/{sort.kind}/{tail}")

    # Only DEVELOPMENT is there, and changes.
    api.refused(sort.describe, sort.missing, why="other", says="not been published", Stage="LIVE", **sort.read(one))
    shown = api.ok(sort.get, **sort.read(one))
    assert shown[sort.code] == sort.handler and shown["ETag"] == made["ETag"]
    assert shown["ContentType"] == "application/octet-stream"
    changed = api.ok(sort.update, IfMatch=made["ETag"],
                     **{sort.config: config("second"), sort.code: AGAIN}, **sort.changed(one))
    assert changed["ETag"] and changed["ETag"] != made["ETag"]

    # Publishing copies, and DEVELOPMENT keeps its ETag.
    published = api.ok(sort.publish, IfMatch=changed["ETag"], **sort.changed(one))
    assert sort.about(sort.summary(published))[1] == "LIVE"
    assert sort.summary(published)["Status"] == "UNASSOCIATED"
    live = api.ok(sort.get, Stage="LIVE", **sort.read(one))
    assert live[sort.code] == AGAIN and live["ETag"] != changed["ETag"]
    assert api.ok(sort.describe, **sort.read(one))["ETag"] == changed["ETag"]
    assert sort.summary(api.ok(sort.describe, **sort.read(one)))["Status"] == "UNASSOCIATED"

    # An update leaves LIVE alone.
    third = api.ok(sort.update, IfMatch=changed["ETag"],
                   **{sort.config: config("third"), sort.code: sort.handler}, **sort.changed(one))
    assert sort.summary(api.ok(sort.describe, **sort.read(one)))["Status"] == "UNPUBLISHED"
    still = api.ok(sort.describe, Stage="LIVE", **sort.read(one))
    assert still["ETag"] == live["ETag"] and sort.summary(still)[sort.config]["Comment"] == "second"
    assert api.ok(sort.get, Stage="LIVE", **sort.read(one))[sort.code] == AGAIN

    listed = stages(api, sort)
    assert listed.count((name, "DEVELOPMENT")) == listed.count((name, "LIVE")) == 1
    assert stages(api, sort, Stage="LIVE").count((name, "LIVE")) == 1
    assert (name, "DEVELOPMENT") not in stages(api, sort, Stage="LIVE")

    api.ok(sort.delete, IfMatch=third["ETag"], **sort.changed(one))
    api.refused(sort.get, sort.missing, why="wrong id", **sort.read(one))
    assert (name, "DEVELOPMENT") not in stages(api, sort)


def stages(api, sort, **more):
    """(name, stage) of everything, page by page."""
    found, marker = [], {}
    while True:
        answer = api.ok(sort.list, **marker, **more)
        page = answer.get("FunctionList", answer)
        rows = page.get("Items", []) if sort is Requests else page["ConnectionFunctions"]
        found += [(row["Name"], sort.about(row)[1]) for row in rows]
        if not page.get("NextMarker"):
            return found
        marker = {"Marker": page["NextMarker"]}


@BOTH
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_of_any_size_show_every_stage_once(api, make, sort, size):
    for published in (True, False, True):
        made = make(sort)
        if published:
            one = sort.id(sort.summary(made))
            api.ok(sort.publish, IfMatch=made["ETag"], **sort.changed(one))
    most = str(size) if sort is Requests else size
    whole = stages(api, sort)
    assert stages(api, sort, MaxItems=most) == whole
    assert len(whole) == len(set(whole))
    assert stages(api, sort, MaxItems=most, Stage="LIVE") == [row for row in whole if row[1] == "LIVE"]


def test_a_connection_function_is_known_by_its_name_too(api, make, unique):
    name = unique("function")
    made = make(Connections, name)
    one = made["ConnectionFunctionSummary"]["Id"]
    assert one.startswith("cf_")
    assert api.ok("DescribeConnectionFunction", Identifier=name)["ConnectionFunctionSummary"]["Id"] == one
    assert api.ok("GetConnectionFunction", Identifier=name)["ETag"] == made["ETag"]


@BOTH
def test_tags_that_a_function_is_made_with_are_kept(api, make, sort):
    made = make(sort, Tags={"Items": [{"Key": "team", "Value": "edge"}]})
    arn = sort.about(sort.summary(made))[0]
    assert api.ok("ListTagsForResource", Resource=arn)["Tags"]["Items"] == [{"Key": "team", "Value": "edge"}]
    api.ok("TagResource", Resource=arn, Tags={"Items": [{"Key": "stage", "Value": "test"}]})
    assert len(api.ok("ListTagsForResource", Resource=arn)["Tags"]["Items"]) == 2


@BOTH
def test_names_are_taken_once_and_wrong_ones_are_refused(api, make, unique, sort):
    name = unique("function")
    make(sort, name)
    body = {sort.config: config(), sort.code: sort.handler}
    api.refused(sort.create, sort.taken, why="taken", Name=name, **body)
    api.refused(sort.create, "InvalidArgument", why="out of range", says="Name", Name="not a name", **body)
    api.refused(sort.create, "InvalidArgument", why="out of range", says="Name", Name="n" * 65, **body)
    api.refused(sort.create, "InvalidTagging", Name=unique(), Tags={"Items": [{"Key": "aws:x", "Value": ""}]}, **body)


@BOTH
def test_code_and_configuration_are_checked(api, make, unique, sort):
    one = sort.id(sort.summary(made := make(sort)))
    wrong = [
        (sort.long, "bytes", config(), TOO_LONG),
        ("InvalidArgument", "no code", config(), b" \n"),
        ("InvalidArgument", "UTF-8", config(), b"\xff\xfe"),
        ("InvalidArgument", "key value store", config(store=f"arn:aws:cloudfront::000000000000:key-value-store/{'0' * 36}"),
         sort.handler),
        ("InvalidArgument", "key value store", config(store="arn:aws:cloudfront::111111111111:key-value-store/x"),
         sort.handler),
        ("InvalidArgument", "Comment", config("c" * 2000), sort.handler),
        ("MalformedXML", "cloudfront-js-3.0", config(runtime="cloudfront-js-3.0"), sort.handler),
    ]
    for code, says, wanted, text in wrong:
        body = {sort.config: wanted, sort.code: text}
        api.refused(sort.create, code, why="out of range", says=says, Name=unique(), **body)
        api.refused(sort.update, code, why="out of range", says=says, IfMatch=made["ETag"], **sort.changed(one), **body)
    counts = {**config(), "KeyValueStoreAssociations": {"Quantity": 1}}
    api.refused(sort.create, "InconsistentQuantities", why="out of range", Name=unique(),
                **{sort.config: counts, sort.code: sort.handler})
    assert api.ok(sort.describe, **sort.read(one))["ETag"] == made["ETag"]


def test_the_older_runtime_does_less(api, unique, make):
    make(Requests, config_=config(runtime="cloudfront-js-1.0"))
    api.refused("CreateConnectionFunction", "InvalidArgument", why="out of range", says="Runtime", Name=unique(),
                ConnectionFunctionConfig=config(runtime="cloudfront-js-1.0"), ConnectionFunctionCode=CONNECTION)
    store = api.call("CreateKeyValueStore", Name=unique("store"))
    name = store["KeyValueStore"]["Name"]
    api.refused("CreateFunction", "InvalidArgument", why="out of range", says="Runtime", Name=unique(),
                FunctionConfig=config(runtime="cloudfront-js-1.0", store=store["KeyValueStore"]["ARN"]), FunctionCode=HELLO)
    api.call("DeleteKeyValueStore", Name=name, IfMatch=store["ETag"])


@BOTH
def test_what_is_missing_stale_or_unknown_is_refused(api, make, unique, sort):
    made = make(sort)
    one, body = sort.id(sort.summary(made)), {sort.config: config(), sort.code: sort.handler}
    gone, etag = "no-such-function", made["ETag"]
    for operation, more in ((sort.update, body), (sort.publish, {}), (sort.delete, {})):
        api.refused(operation, sort.missing, why="wrong id", IfMatch=etag, **sort.changed(gone), **more)
        api.refused(operation, "PreconditionFailed", why="stale etag", IfMatch="ETVPDKIKX0DER", **sort.changed(one), **more)
        api.refused(operation, "InvalidIfMatchVersion", why="no etag", IfMatch="", **sort.changed(one), **more)
    for operation in (sort.describe, sort.get):
        api.refused(operation, sort.missing, why="wrong id", **sort.read(gone))
        api.refused(operation, "InvalidArgument", why="out of range", Stage="NOWHERE", **sort.read(one))
    for left_out in (sort.config, sort.code):
        rest = {key: value for key, value in body.items() if key != left_out}
        api.refused(sort.create, "MalformedXML", why="missing field", says=left_out, Name=unique(), **rest)
        api.refused(sort.update, "MalformedXML", why="missing field", says=left_out, IfMatch=etag,
                    **sort.changed(one), **rest)
    api.refused(sort.create, "MalformedXML", why="missing field", says="Name", **body)
    api.refused(sort.list, "InvalidArgument", why="out of range", MaxItems="0" if sort is Requests else 0)
    word = "InvalidArgument" if sort is Requests else "MalformedXML"
    api.refused(sort.list, word, why="out of range", Stage="NOWHERE")
    api.refused(sort.list, "InvalidArgument", why="wrong id", Marker="not/a/marker")


@BOTH
def test_a_test_is_checked_and_then_refused_by_name(api, make, sort):
    made = make(sort)
    one = sort.id(sort.summary(made))

    def wrong(code, why, says=None, event=EVENT, etag=made["ETag"], name=one, **more):
        api.refused(sort.test, code, why=why, says=says, IfMatch=etag, **{sort.event: event}, **sort.changed(name), **more)

    wrong("UnsupportedOperation", "not honoured", "cannot be run")
    wrong("UnsupportedOperation", "not honoured", Stage="DEVELOPMENT")
    wrong(sort.missing, "wrong id", name="no-such-function")
    wrong(sort.missing, "other", "not been published", Stage="LIVE")
    wrong("InvalidIfMatchVersion", "stale etag", etag="ETVPDKIKX0DER")
    wrong("InvalidIfMatchVersion", "no etag", etag="")
    wrong("InvalidArgument", "out of range", "JSON", event=b"[]")
    wrong("InvalidArgument", "out of range", "JSON", event=b"not json")
    wrong("InvalidArgument", "out of range", "40960", event=b'{"a": "' + b"x" * 41000 + b'"}')
    api.refused(sort.test, "MalformedXML", why="missing field", says=sort.event, IfMatch=made["ETag"], Stage="DEVELOPMENT",
                **sort.changed(one))
    api.ok(sort.publish, IfMatch=made["ETag"], **sort.changed(one))
    live = api.ok(sort.describe, Stage="LIVE", **sort.read(one))["ETag"]
    wrong("InvalidIfMatchVersion", "stale etag", Stage="LIVE")
    wrong("UnsupportedOperation", "not honoured", etag=live, Stage="LIVE")


def test_a_distribution_cannot_have_functions_yet_and_says_which_there_are(api, make, unique):
    """Never kept and ignored."""
    made = make(Requests)
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]

    def asked(arn):
        plain = surface.config_of(unique())
        plain["DefaultCacheBehavior"]["FunctionAssociations"] = {
            "Quantity": 1, "Items": [{"FunctionARN": arn, "EventType": "viewer-request"}]}
        return plain

    api.refused("CreateDistribution", "UnsupportedOperation", why="not honoured", says="FunctionAssociations",
                DistributionConfig=asked(arn))
    api.refused("CreateDistribution", "InvalidFunctionAssociation", why="wrong id", says="FunctionAssociations",
                DistributionConfig=asked(f"{arn}-no"))
    one = make(Connections)["ConnectionFunctionSummary"]["Id"]
    config_ = surface.config_of(unique(), ConnectionFunctionAssociation={"Id": one})
    api.refused("CreateDistribution", "UnsupportedOperation", why="not honoured", says="ConnectionFunctionAssociation",
                DistributionConfig=config_)
    config_ = surface.config_of(unique(), ConnectionFunctionAssociation={"Id": "cf_no"})
    api.refused("CreateDistribution", "EntityNotFound", why="wrong id", DistributionConfig=config_)


@BOTH
def test_a_store_that_a_function_reads_in_either_stage_stays(api, make, unique, sort):
    stores = [api.call("CreateKeyValueStore", Name=unique("store")) for _ in range(2)]
    first, second = (one["KeyValueStore"] for one in stores)

    def held(store, etag):
        api.refused("DeleteKeyValueStore", "CannotDeleteEntityWhileInUse", why="in use", says=sort.kind,
                    Name=store["Name"], IfMatch=etag)

    made = make(sort, config_=config(store=first["ARN"]))
    one = sort.id(sort.summary(made))
    held(first, stores[0]["ETag"])
    api.ok(sort.publish, IfMatch=made["ETag"], **sort.changed(one))
    changed = api.ok(sort.update, IfMatch=made["ETag"],
                     **{sort.config: config(store=second["ARN"]), sort.code: sort.handler}, **sort.changed(one))
    held(first, stores[0]["ETag"])
    held(second, stores[1]["ETag"])
    api.ok(sort.publish, IfMatch=changed["ETag"], **sort.changed(one))
    api.ok("DeleteKeyValueStore", Name=first["Name"], IfMatch=stores[0]["ETag"])
    api.ok(sort.delete, IfMatch=changed["ETag"], **sort.changed(one))
    api.ok("DeleteKeyValueStore", Name=second["Name"], IfMatch=stores[1]["ETag"])


def test_ten_functions_read_a_store_and_no_more(unique):
    """With CloudFront's own quotas."""
    with parts.Up() as near:
        api = surface.Api(**surface.credentials(near))
        arn = api.call("CreateKeyValueStore", Name=unique("store"))["KeyValueStore"]["ARN"]
        body = {"FunctionConfig": config(store=arn), "FunctionCode": HELLO}
        made = [api.ok("CreateFunction", Name=unique(), **body) for _ in range(10)]
        api.refused("CreateFunction", "InvalidArgument", why="out of range", says="10 functions", Name=unique(), **body)
        first = made[0]["FunctionSummary"]["Name"]
        api.ok("UpdateFunction", Name=first, IfMatch=made[0]["ETag"], **{**body, "FunctionCode": AGAIN})
        plain = api.ok("CreateFunction", Name=unique(), FunctionConfig=config(), FunctionCode=HELLO)
        api.refused("UpdateFunction", "InvalidArgument", why="out of range", says="10 functions", IfMatch=plain["ETag"],
                    Name=plain["FunctionSummary"]["Name"], **body)
