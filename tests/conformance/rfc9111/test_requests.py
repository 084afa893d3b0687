"""RFC 9111 §5.2.1 and §5.4: what viewers may ask of a cache."""

from script import *  # noqa: F403

HOUR = "max-age=3600"


def wants(cc, **more):
    return {"Cache-Control": cc, **more}


def unwilling(name, section, level, said, given, wait=0, **more):
    """The stored response is not what this viewer wants."""
    return case(name, section, level, ask(ok(given[0], cc=given[1])), again(2, said, wait=wait), **more)


ALREADY = ({}, HOUR)

test_requests = cases(
    case("max-age of the viewer makes stale", "RFC 9111 §5.2.1.1", OPTIONAL, ask(ok({"Age": 100}, cc=HOUR)), again(2, wants("max-age=60"))),
    case("a larger max-age of the viewer does not", "RFC 9111 §5.2.1.1", OPTIONAL, ask(ok({"Age": 100}, cc=HOUR)), hit(1, wants("max-age=600"))),
    unwilling("max-age=0 of the viewer", "RFC 9111 §5.2.1.1", OPTIONAL, wants("max-age=0"), ALREADY, wait=1.1),
    case("max-stale does not go beyond max-age of the viewer", "RFC 9111 §5.2.1.1", OPTIONAL,
         ask(ok({"Age": 100}, cc="max-age=90")), again(2, wants("max-age=60, max-stale=1000"))),
    case("max-stale allows so much", "RFC 9111 §5.2.1.2", OPTIONAL, ask(ok({"Age": 100}, cc="max-age=90")), hit(1, wants("max-stale=1000"))),
    case("max-stale allows no more", "RFC 9111 §5.2.1.2", OPTIONAL, ask(ok({"Age": 100}, cc="max-age=50")), again(2, wants("max-stale=20"))),
    case("max-stale without a value allows anything", "RFC 9111 §5.2.1.2", OPTIONAL, ask(ok({"Age": 3500}, cc="max-age=10")), hit(1, wants("max-stale"))),
    *(case(f"max-stale does not go against {said}", "RFC 9111 §4.2.4", MUST,
           ask(ok({"Age": 100}, cc=said)), again(2, wants("max-stale=1000")))
      for said in ("max-age=90, must-revalidate", "max-age=90, proxy-revalidate", "s-maxage=90", "max-age=90, no-cache")),
    case("min-fresh wants more", "RFC 9111 §5.2.1.3", OPTIONAL, ask(ok(cc="max-age=60")), again(2, wants("min-fresh=100"))),
    case("min-fresh is met", "RFC 9111 §5.2.1.3", OPTIONAL, ask(ok(cc=HOUR)), hit(1, wants("min-fresh=100"))),
    case("min-fresh counts age", "RFC 9111 §5.2.1.3", OPTIONAL, ask(ok({"Age": 3550}, cc=HOUR)), again(2, wants("min-fresh=100"))),
    unwilling("no-cache of the viewer", "RFC 9111 §5.2.1.4", MUST, wants("no-cache"), ALREADY),
    unwilling("no-cache of the viewer in upper case", "RFC 9111 §5.2.1.4", MUST, wants("NO-CACHE"), ALREADY),
    case("no-cache of the viewer validates", "RFC 9111 §5.2.1.4", OPTIONAL,
         ask(ok({"ETag": '"1"'}, cc=HOUR)),
         ask(not_modified({"ETag": '"1"'}, cc=HOUR), wants("no-cache"), sent={"If-None-Match": '"1"'}, body=1)),
    case("what no-cache of the viewer fetched is stored", "RFC 9111 §5.2.1.4", OPTIONAL,
         ask(ok(cc=HOUR)), ask(ok(cc=HOUR), wants("no-cache"), body=2), hit(2)),
    case("Pragma: no-cache of the viewer", "RFC 9111 §5.4", OPTIONAL, ask(ok(cc=HOUR)), again(2, {"Pragma": "no-cache"})),
    case("Pragma is passed over beside Cache-Control", "RFC 9111 §5.4", OPTIONAL,
         ask(ok(cc=HOUR)), hit(1, {"Pragma": "no-cache", "Cache-Control": "max-age=1000"})),
    case("no-store of the viewer: not stored", "RFC 9111 §5.2.1.5", MUST, ask(ok(cc=HOUR), wants("no-store")), again(2)),
    case("no-store of the viewer: what is stored may serve", "RFC 9111 §5.2.1.5", OPTIONAL, ask(ok(cc=HOUR)), hit(1, wants("no-store"))),
    case("only-if-cached with nothing stored", "RFC 9111 §5.2.1.7", SHOULD, ask(None, wants("only-if-cached"), asked=False, status=504)),
    case("only-if-cached with something stored", "RFC 9111 §5.2.1.7", SHOULD, ask(ok(cc=HOUR)), hit(1, wants("only-if-cached"))),
    case("only-if-cached with something stale", "RFC 9111 §5.2.1.7", SHOULD,
         ask(ok({"Age": 100}, cc="max-age=90")), ask(None, wants("only-if-cached"), asked=False, status=504)),
    case("only-if-cached and max-stale", "RFC 9111 §5.2.1.7", OPTIONAL,
         ask(ok({"Age": 100}, cc="max-age=90")), hit(1, wants("only-if-cached, max-stale=100"))),
    case("only-if-cached leaves nothing behind", "RFC 9111 §5.2.1.7", SHOULD,
         ask(None, wants("only-if-cached"), asked=False, status=504), again(2)),
    case("unknown directives of the viewer are passed over", "RFC 9111 §5.2.3", MUST, ask(ok(cc=HOUR)), hit(1, wants("foo, bar=no-cache"))),
    case("a max-age of the viewer that is no number", "RFC 9111 §5.2.1.1", OPTIONAL, ask(ok(cc=HOUR)), ask(None, wants("max-age=x"), asked=None)),
)
