"""One running Nearfront for all tests of the API, and the client that keeps the record."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import nearfront as parts  # noqa: E402
import people  # noqa: E402
import surface  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "proves(*operations): the test shows what these operations do")
    config.addinivalue_line("markers", "slow: takes more than some seconds; left out by scripts/test --quick")


def pytest_collection_modifyitems(items):
    """The table is made from what all the others have shown."""
    items.sort(key=lambda item: item.name == "test_the_table_of_operations_is_what_tests_have_shown")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.passed:
        for mark in item.iter_markers("proves"):
            for operation in mark.args:
                surface.RECORD.proofs[operation].add(item.nodeid.split("[")[0].removeprefix("tests/api/"))
    if report.failed:
        report.sections.extend((f"log of {process.name}", process.tail()) for process in parts.LIVE)
    return report


@pytest.fixture(scope="session")
def buckets(tmp_path_factory):
    """The object store that `near` reads: a folder for each bucket."""
    return tmp_path_factory.mktemp("buckets")


@pytest.fixture(scope="session")
def near(buckets):
    """`nearfront up` on embedded metadata, without quotas of the account."""
    settings = {"quotas": "none", "object_stores": {"default": {"url": buckets.as_uri()}}}
    with parts.Up(settings) as near:
        yield near


@pytest.fixture(scope="session")
def api(near):
    """The management API, called as root."""
    return surface.Api(**surface.credentials(near))


@pytest.fixture(scope="session")
def own(near):
    """What is this server's own: history, and the way back."""
    return surface.Own(**surface.credentials(near))


@pytest.fixture(scope="session")
def client(near):
    """Makes clients of other services: `client("acm")`."""
    return lambda service, **more: surface.Api(**{**surface.credentials(near), **more}, service=service)


@pytest.fixture
def unique(request):
    """A name that no other test has."""
    import itertools
    import uuid
    count = itertools.count()
    mark = uuid.uuid4().hex[:8]
    return lambda what="name": f"{what}-{mark}-{next(count)}"


@pytest.fixture
def distribution(api, unique, near):
    """Makes small distributions; they are disabled and deleted afterwards."""
    made = []

    def make(**changes):
        config = surface.config_of(unique("reference"), **changes)
        answer = api.call("CreateDistribution", DistributionConfig=config)
        made.append(answer["Distribution"]["Id"])
        return answer

    yield make
    for one in made:
        surface.forget(api, one)


@pytest.fixture
def group(api, unique):
    """Makes connection groups; they are disabled and deleted afterwards."""
    import sites
    made = []

    def make(**changes):
        answer = api.call("CreateConnectionGroup", Name=unique("group"), **changes)
        made.append(answer["ConnectionGroup"]["Id"])
        return answer

    yield make
    for one in made:
        sites.forget_group(api, one)


@pytest.fixture
def tenant(api, unique, distribution, group):
    """Makes tenants of a distribution; they are disabled and deleted before it is."""
    import sites
    made = []

    def make(of, call=api.call, **changes):
        name = unique("tenant")
        asked = {"Name": name, "DistributionId": of, "Domains": [{"Domain": f"{name}.{sites.ZONE}"}],
                 "Parameters": [{"Name": "shop", "Value": "hats"}], **changes}
        answer = call("CreateDistributionTenant", **asked)
        made.append(answer["DistributionTenant"]["Id"])
        return answer

    yield make
    for one in made:
        sites.forget_tenant(api, one)


@pytest.fixture
def iam(client):
    return client("iam")


@pytest.fixture
def user(iam, unique):
    """Makes users; they go afterwards, with all that they have."""
    made = []

    def make(**more):
        name = unique("user")
        iam.call("CreateUser", UserName=name, **more)
        made.append(name)
        return name

    yield make
    for name in made:
        people.forget(iam, name)


@pytest.fixture
def as_user(iam, user, client):
    """Clients that sign as a new user whose policy says this: `as_user(("Allow", "cloudfront:*", "*"))("cloudfront")`."""

    def make(*statements):
        name = user()
        if statements:
            iam.call("PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=people.policy(*statements))
        key = iam.call("CreateAccessKey", UserName=name)["AccessKey"]

        def of(service="cloudfront"):
            return client(service, key=key["AccessKeyId"], secret=key["SecretAccessKey"])
        of.name, of.key = name, key
        return of

    return make
