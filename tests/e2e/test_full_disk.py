"""A disk that is full: writes are refused, reads and viewers are served, and later all goes on."""

import resource

from botocore.exceptions import ClientError

from nearfront import Origin, Up, distribution, http_origin, until

MANY = 500  # distributions: far more than the file has room for once it may not grow


def write(client, number, port):
    """The new distribution's id, or the code of the refusal."""
    config = distribution(f"full-{number}", [http_origin("web", port)], Comment="x" * 100)
    try:
        return client.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503, error
        return error.response["Error"]["Code"]


def ids(client):
    pages = client.get_paginator("list_distributions").paginate()
    return {one["Id"] for page in pages for one in page["DistributionList"].get("Items", [])}


def limit(near, most):
    """The largest file that the process may write, in bytes."""
    resource.prlimit(near.process.child.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def test_a_full_disk_refuses_writes_and_loses_nothing():
    with Origin({"/a": b"a"}) as web, Up() as near:
        client, numbers = near.client(), iter(range(MANY))
        domain = client.create_distribution(DistributionConfig=distribution("first", [http_origin("web", web.port)]))["Distribution"]["DomainName"]
        until(lambda: near.get(domain, "/a").body == b"a", what="the first distribution")
        before = ids(client)
        limit(near, (near.data / "metadata.redb").stat().st_size)
        told = list(iter(lambda: write(client, next(numbers), web.port), "ServiceUnavailable"))
        assert near.readyz()[1]["status"] == "degraded"
        acknowledged = before | set(told)
        assert ids(client) >= acknowledged, "reads go on"
        assert near.get(domain, "/a").body == b"a", "viewers are served"
        limit(near, resource.RLIM_INFINITY)
        acknowledged.add(until(lambda: (one := write(client, next(numbers), web.port)) != "ServiceUnavailable" and one, what="room again"))
        assert near.ready()["status"] == "ready"
        near.kill()
        near.restart()
        assert ids(near.client()) >= acknowledged
