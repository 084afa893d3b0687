"""README's five minutes, as written: its shell blocks run in order, with other ports and folders."""

import os
import pathlib
import re
import subprocess

from nearfront import BINARY, ROOT, Up, free_port, tool


def section(title):
    text = (ROOT / "README.md").read_text()
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## )", text, re.M | re.S)[1]


def blocks(title, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", section(title), re.M | re.S)


def shell(script, near, folder):
    """Runs a script that calls `nearfront`, `aws` and `curl`; fails with the first command that fails."""
    path = os.pathsep.join([str(BINARY.parent), str(pathlib.Path(tool("aws")).parent), os.environ["PATH"]])
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ran = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, cwd=folder, timeout=200,
                         env={**env, "PATH": path, "AWS_PAGER": ""})
    assert ran.returncode == 0, f"{script}\n{ran.stdout}\n{ran.stderr}\n{near.process.tail()}"
    return ran.stdout


def test_the_first_distribution_in_five_minutes(tmp_path):
    script = "\n".join(block for block in blocks("The first distribution in five minutes", "sh")
                       if "cargo build" not in block)
    certificates = blocks("Names and certificates of your own", "sh")
    script = f"trap 'kill %1' EXIT\n{script}\n" + "\n".join(certificates)
    with Up(folder=tmp_path) as near:
        for written, here in [
            ('export PATH="$PWD/target/release:$PATH"\n', ""),
            ("nearfront env", f"nearfront env --data {near.data}"),
            (":8080/", f":{near.port('edge_http')}/"),
            (":8443/", f":{near.port('edge_https')}/"),
            ("-p 5300", f"-p {near.port('dns')}"),
            (".nearfront/ca.pem", str(near.ca())),
            ("/tmp/origin", str(tmp_path / "origin")),
            ("8000", str(free_port())),
        ]:
            assert written in script, written
            script = script.replace(written, here)
        # The origin must listen before the first fetch.
        script = script.replace("nearfront check", "until curl -s http://localhost:$(grep -o '\"HTTPPort\": [0-9]*' distribution.json | tr -dc 0-9)/ >/dev/null; do :; done\nnearfront check")
        said = shell(script, near, tmp_path)
    first, second = said.lower().index("x-cache: miss from nearfront"), said.lower().index("x-cache: hit from nearfront")
    assert first < second
    assert said.count("<h1>Hello from the origin</h1>") == 3
    assert said.count("<h1>Hello again</h1>") == 1
    assert re.search(r"IN\s+A\s+127\.0\.0\.1", said)


def test_settings_in_the_readme_are_good(tmp_path):
    for place, block in enumerate(blocks("S3 and MinIO as origins", "toml")):
        file = tmp_path / f"{place}.toml"
        file.write_text(block)
        ran = subprocess.run([str(BINARY), "check", str(file)], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout
