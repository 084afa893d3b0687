"""RFC 8297: 103 Early Hints."""

from script import *  # noqa: F403

HINT = ((103, [("Link", "</style.css>; rel=preload")]),)

test_early_hints = cases(
    case("103 is relayed to the viewer", "RFC 9110 §15.2", MUST, ask(ok(interim=HINT), interim=[103], body=1)),
    case("all 103 are relayed", "RFC 8297 §2", MUST, ask(ok(interim=HINT + HINT), interim=[103, 103], body=1)),
    case("what is said in a 103 alone is not in the answer", "RFC 8297 §2", MUST, ask(ok(interim=HINT), has={"Link": None}, body=1)),
)
