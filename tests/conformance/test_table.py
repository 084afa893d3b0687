"""Every test that docs/conformance.md names exists, and every file of conformance tests is named there."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = "tests/conformance"
FOLDERS = {"rules": "shared/rules/caching/tests/rules", "edge": "services/edge/src/tests", "headers": "shared/rules/headers/src",
           "e2e": "tests/e2e", "fuzz": "tests/fuzz/src/laws"}


def named():
    """(path, name or nothing) of every test in the table."""
    table = (ROOT / "docs/conformance.md").read_text()
    for path, name in re.findall(r"`([\w.]+/[\w./]+\.(?:py|rs))(?:::([^`]+))?`", table):
        first, _, rest = path.partition("/")
        yield (f"{FOLDERS[first]}/{rest}" if first in FOLDERS else path if first == "tests" else f"{HERE}/{path}"), name


def there(path, name):
    text = (ROOT / path).read_text() if (ROOT / path).is_file() else None
    if text is None or not name:
        return text is not None
    return bool(re.search(rf"fn {name}\b|def {name}\b|^{name} = cases", text, re.M)) if re.fullmatch(r"\w+", name) and "_" in name else f'"{name}"' in text


def test_what_the_table_names_exists():
    missing = [f"{path}::{name}" for path, name in named() if not there(path, name)]
    assert not missing, "\n".join(missing)


def test_every_file_of_cases_is_in_the_table():
    known = {path for path, _ in named()}
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / HERE).glob("*/test_*.py")}
    assert files <= known, sorted(files - known)
