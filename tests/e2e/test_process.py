"""How processes start and stop: waiting for Redis, draining, insisting."""

import json
import signal
import threading

from nearfront import BINARY, Nearfront, Redis, Up, distribution, fetch, free_port, http_origin, toml, until


class Slow:
    """A page that stops in the middle until it is released."""

    def __init__(self):
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"ab")
        handler.wfile.flush()
        self.begun.set()
        self.go_on.wait(60)
        handler.wfile.write(b"cd")


def in_the_middle_of_an_answer(near, origin):
    """A request whose answer is half sent; gives the page and what will become of the answer."""
    page = origin.pages["/slow"] = Slow()
    config = distribution("slow", [http_origin("web", origin.port)])
    domain = near.client().create_distribution(DistributionConfig=config)["Distribution"]["DomainName"]
    until(lambda: near.get(domain, "/none").status == 404, what="the distribution in force")
    answers = []

    def ask():
        try:
            answers.append(near.get(domain, "/slow").body)
        except Exception as error:  # the connection is cut
            answers.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert page.begun.wait(20)
    return page, asking, answers


def test_answers_under_way_are_finished_before_the_process_ends(origin):
    with Up() as near:
        page, asking, answers = in_the_middle_of_an_answer(near, origin)
        near.process.child.send_signal(signal.SIGTERM)
        until(lambda: near.readyz()[0] == 503, what="/readyz while stopping")
        assert near.process.running()
        page.go_on.set()
        asking.join(30)
        assert answers == [b"abcd"]
        assert near.process.child.wait(20) == 0
        assert not (near.data / "run.json").exists()


def test_a_second_signal_does_not_wait(origin):
    with Up() as near:
        page, asking, _ = in_the_middle_of_an_answer(near, origin)
        near.process.child.send_signal(signal.SIGINT)
        until(lambda: near.readyz()[0] == 503, what="/readyz while stopping")
        near.process.child.send_signal(signal.SIGINT)
        assert near.process.child.wait(10) == 1
        assert "second signal" in near.process.tail()
        page.go_on.set()
        asking.join(30)
        near.process.child = None


def test_services_wait_for_redis_and_say_so():
    redis, admin = Redis(), free_port()
    settings = {"metadata": {"url": redis.url}, "admin": {"listen": f"127.0.0.1:{admin}"}}
    control = Nearfront("control", settings)
    with redis:
        redis.stop()
        threading.Thread(target=lambda: (_conditions_name(admin, "metadata"), redis.start())).start()
        with control:
            assert control.readyz()[0] == 200


def _conditions_name(admin, part):
    def named():
        answer = fetch(admin, "localhost", "/readyz")
        return answer.status == 503 and part in [one["part"] for one in json.loads(answer.body)["conditions"]]
    until(named, 30, "a condition that names the store")


def test_a_stop_while_starting_is_clean():
    admin = free_port()
    settings = {"metadata": {"url": f"redis://127.0.0.1:{free_port()}"}, "admin": {"listen": f"127.0.0.1:{admin}"}}
    edge = Nearfront("edge", settings)
    try:
        config = edge.folder / "nearfront.toml"
        config.write_text(toml(edge.settings))
        edge.process.launch([BINARY, "edge", "--config", config])
        _conditions_name(admin, "metadata")
        assert edge.process.end() == 0
    finally:
        edge.__exit__()


def test_without_redis_the_api_says_so_and_recovers():
    with Redis() as redis, Nearfront("control", {"metadata": {"url": redis.url}}) as control:
        client = control.client()
        client.list_distributions()
        redis.stop()
        status = until(lambda: _status(client) == 503 and 503, 20, "503 without Redis")
        assert status == 503 and control.process.running()
        redis.start()
        until(lambda: _status(client) == 200, 20, "answers once Redis is back")


def _status(client):
    from botocore.exceptions import ClientError
    try:
        return client.list_distributions()["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]
