"""The management API as its clients see it, and a record of what tests have shown of it.

Every call goes through botocore, unmodified but for the endpoint. An answer must have every member
that the API's model requires, with the model's types; an error must be one that the model lists for
the operation, or one of those that all AWS services share.

    api.ok("CreateKeyGroup", KeyGroupConfig={…})                       # parsed answer
    api.refused("GetKeyGroup", "NoSuchResource", why="wrong id", Id="x")
    @pytest.mark.proves("CreateKeyGroup")                              # this test shows its effect
"""

import collections
import json
import os
import pathlib
import threading
import urllib.error
import urllib.parse
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.session
import botocore.validate
from botocore.exceptions import ClientError

import nearfront as parts

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs/management-api.md"
#: What can be wrong with a call, in the columns of the table.
WHYS = ("wrong id", "stale etag", "no etag", "missing field", "out of range", "taken", "in use", "not honoured", "other")
#: Errors of all AWS services (CloudFront API reference, "Common Errors"), and of the model's texts alone.
COMMON = {"MalformedXML", "MissingBody", "InvalidArgument", "AccessDenied", "ValidationException", "InvalidIfMatchVersion",
          "InvalidationBatchAlreadyExists", "UnsupportedOperation", "PreconditionFailed", "InconsistentQuantities", "InvalidTagging", "InvalidTTLOrder"}


#: What may be refused in one moment and be done in the next: edges have come further.
NOT_YET = {"DistributionNotDisabled", "StreamingDistributionNotDisabled", "ResourceNotDisabled"}


class Record:
    """What tests have shown: by service and operation."""

    def __init__(self):
        self.served = collections.defaultdict(set)    # operation -> tests
        self.errors = collections.defaultdict(lambda: collections.defaultdict(set))  # operation -> why -> codes
        self.proofs = collections.defaultdict(set)    # operation -> tests


RECORD = Record()


def current_test():
    """`tests/api/test_x.py::test_y`, without the folder and the parameters."""
    name = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0].split("[")[0]
    return name.removeprefix("tests/api/")


class Api:
    """One client of one service of a running Nearfront."""

    def __init__(self, url, key, secret, service="cloudfront", region="us-east-1", **config):
        session = botocore.session.Session()
        self.service = service
        self.client = session.create_client(
            service, region_name=region, endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, parameter_validation=False, **config))
        self.model = self.client.meta.service_model
        self.headers = threading.local()
        self.client.meta.events.register("before-call", self.add_headers)
        self.python_names = {name: python for python, name in self.client.meta.method_to_api_mapping.items()}

    def call(self, operation, **params):
        """The parsed answer; raises botocore's ClientError."""
        return getattr(self.client, self.python_names[operation])(**params)

    def add_headers(self, params, **_):
        """What this thread wants to send beside what the model knows."""
        params["headers"].update(getattr(self.headers, "more", {}))

    def dry(self, operation, **params):
        """The parsed answer of a dry run; raises botocore's ClientError."""
        self.headers.more = {"X-Nearfront-Dry-Run": "true"}
        try:
            answer = self.call(operation, **params)
        finally:
            self.headers.more = {}
        assert answer["ResponseMetadata"]["HTTPHeaders"]["x-nearfront-dry-run"] == "true", operation
        return answer

    def writes(self, operation):
        """Whether the operation changes something."""
        if self.model.metadata["protocol"] in ("json", "query"):
            return not operation.startswith(("Get", "List", "Describe", "Simulate"))
        return self.model.operation_model(operation).http["method"] != "GET"

    def rehearse(self, operation, **params):
        """A dry run of what is about to be done: that it can be done afterwards, with the same name and entity tag, shows
        that the dry run has written nothing."""
        try:
            self.dry(operation, **params)
        except ClientError as error:
            return error.response["Error"]
        return None

    def ok(self, operation, **params):
        """The parsed answer of a call that must succeed and be whole, after a dry run of it; streams in it are read: bytes."""
        refused = self.rehearse(operation, **params) if self.writes(operation) else None
        answer = readable(self.call(operation, **params))
        assert refused is None or refused["Code"] in NOT_YET, f"{operation}: the dry run was refused: {refused}"
        self.check(operation, answer)
        RECORD.served[record_name(self.service, operation)].add(current_test())
        return answer

    def check(self, operation, answer):
        """The answer must be what the model says."""
        shape = self.model.operation_model(operation).output_shape
        if shape is None:
            return
        body = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        report = botocore.validate.ParamValidator().validate(readable(body), shape)
        assert not report.has_errors(), f"{operation}: {report.generate_report()}"

    def refused(self, operation, code, why="other", status=None, says=None, **params):
        """The error of a call that must fail with this code; `says` must stand in its message."""
        assert why in WHYS, why
        try:
            answer = self.call(operation, **params)
        except ClientError as error:
            answer = error.response
        else:
            raise AssertionError(f"{operation} was not refused: {answer}")
        error = answer["Error"]
        assert error["Code"] == code, f"{operation}: {error}"
        listed = {shape.name: shape for shape in self.model.operation_model(operation).error_shapes}
        if self.service == "cloudfront":
            assert code in listed or code in COMMON, f"{operation}: the model does not list {code}"
        wanted = status or (listed[code].metadata.get("error", {}).get("httpStatusCode") if code in listed else None)
        given = answer["ResponseMetadata"]["HTTPStatusCode"]
        assert wanted in (None, given), f"{operation}: {code} is {wanted}, not {given}"
        assert error["Message"], f"{operation}: {code} says nothing"
        assert says is None or says in error["Message"], f"{operation}: {error['Message']!r} does not say {says!r}"
        RECORD.errors[record_name(self.service, operation)][why].add(code)
        return error


class Own:
    """The paths under /nearfront/, signed as the others are."""

    def __init__(self, url, key, secret):
        self.url, self.keys = url, botocore.credentials.Credentials(key, secret)

    def call(self, method, path, body=None, headers=(), **query):
        """Status, headers with names in lower case, parsed body."""
        url = f"{self.url}/nearfront/{path}"
        if query:
            url += "?" + urllib.parse.urlencode(sorted(query.items()), quote_via=urllib.parse.quote)
        data = json.dumps(body).encode() if body is not None else None
        request = botocore.awsrequest.AWSRequest(method, url, dict(headers), data)
        botocore.auth.SigV4Auth(self.keys, "cloudfront", "us-east-1").add_auth(request)
        asked = urllib.request.Request(url, data, dict(request.headers), method=method)
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return answer.status, {name.lower(): value for name, value in answer.headers.items()}, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, {name.lower(): value for name, value in refused.headers.items()}, json.load(refused)

    def get(self, path, **query):
        """The body of a call that must succeed."""
        status, _, body = self.call("GET", path, **query)
        assert status == 200, body
        return body


def readable(value):
    """Streams read, so that they can be checked as blobs."""
    if isinstance(value, dict):
        return {key: readable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [readable(part) for part in value]
    return value.read() if hasattr(value, "read") else value


def operations():
    """All operations of the API's model and of the key value stores' own, in order."""
    session = botocore.session.Session()
    names = {}
    for service in ("cloudfront", "cloudfront-keyvaluestore"):
        model = session.get_service_model(service)
        for name in model.operation_names:
            names[(service, name)] = model.operation_model(name)
    return names


def wanted_errors(operation):
    """Which mistakes a test must have made with this operation, as its model has them."""
    shape = operation.input_shape
    if shape is None:
        return set()
    wanted = set()
    members = shape.members
    if any(member.serialization.get("location") == "uri" for member in members.values()):
        wanted.add("wrong id")
    if "IfMatch" in members and "IfMatch" in shape.required_members:
        wanted.add("stale etag")
    body = [name for name in shape.required_members
            if members[name].serialization.get("location") not in ("uri", "header")]
    if body:
        wanted.add("missing field")
    return wanted


def table():
    """The record as a page of the documentation."""
    lines = [
        "# The management API, operation by operation", "",
        "What the tests in `tests/api` have shown of every operation, through botocore and a running server. Generated by",
        "these tests (`NEARFRONT_WRITE_TABLE=1 scripts/test`), compared by them ever after.", "",
        "`served`: a valid call succeeds and its answer is whole by the API's model. `effect proven by`: tests that show",
        "what the call does. `errors proven`: codes by what was wrong with the call.", "",
        "| operation | served | effect proven by | errors proven |", "| --- | --- | --- | --- |"]
    for service, name in operations():
        known = name if service == "cloudfront" or not twin(name) else f"{name} (data plane)"
        served = "yes" if RECORD.served[record_name(service, name)] else "refused"
        proofs = ", ".join(f"`{proof.split('::')[-1]}`" for proof in sorted(RECORD.proofs[record_name(service, name)]))
        errors = RECORD.errors[record_name(service, name)]
        shown = "; ".join(f"{why}: {', '.join(sorted(errors[why]))}" for why in WHYS if errors.get(why))
        lines.append(f"| {known} | {served} | {proofs} | {shown} |")
    return "\n".join(lines) + "\n"


def twin(name):
    """Whether both services have an operation of this name."""
    return name == "DescribeKeyValueStore"


def record_name(service, name):
    """The name under which an operation is recorded."""
    return f"{name}:data" if twin(name) and service != "cloudfront" else name


def credentials(near):
    """The root key that the first start wrote, and the URL."""
    text = (near.data / "aws/credentials").read_text()
    found = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    return {"url": f"http://{near.run['control']}", "key": found["aws_access_key_id"],
            "secret": found["aws_secret_access_key"]}


def loopback(patch=None):
    """Names under `localhost` are loopback's in this process (RFC 6761 §6.3), as resolvers should know.

    `patch` is pytest's monkeypatch, which takes it back after the test.
    """
    import socket
    known = socket.getaddrinfo

    def getaddrinfo(host, *more, **named):
        name = host.decode() if isinstance(host, bytes) else host
        under = isinstance(name, str) and name.rstrip(".").lower().endswith(".localhost")
        return known("127.0.0.1" if under else host, *more, **named)

    if patch:
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
    else:
        socket.getaddrinfo = getaddrinfo


def dumps(value):
    """For messages."""
    return json.dumps(value, default=str)[:2000]

def config_of(reference, **changes):
    """The smallest DistributionConfig that is served."""
    return {
        "CallerReference": reference, "Comment": "", "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [{
            "Id": "web", "DomainName": "localhost",
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}}]},
        "DefaultCacheBehavior": {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all",
                                 "CachePolicyId": parts.CACHING_DISABLED},
        **changes}


def forget(api, distribution):
    """Disables and deletes a distribution, if it is still there."""
    try:
        kept = api.call("GetDistributionConfig", Id=distribution)
    except api.client.exceptions.NoSuchDistribution:
        return
    config, etag = kept["DistributionConfig"], kept["ETag"]
    if config["Enabled"]:
        config["Enabled"] = False
        etag = api.call("UpdateDistribution", Id=distribution, IfMatch=etag, DistributionConfig=config)["ETag"]
    parts.until(lambda: api.call("GetDistribution", Id=distribution)["Distribution"]["Status"] == "Deployed",
                what=f"{distribution} deployed")
    api.call("DeleteDistribution", Id=distribution, IfMatch=etag)
