"""The tier serving=seldon, served for real: Envoy, MLServer, the model, the log, a promotion, and what is refused."""

import csv
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.conftest import Done, Once, must, run
from tests.tiers.machine import free_port, until
from tests.tiers.project import DVC, Project, commands, copied

KIT = Path(sys.executable).with_name("mlops-kit")


@pytest.fixture
def project(trained: Path, mlops_new: Path, once: Once, tmp_path: Path) -> Project:
    """A published repository with v0.1.0 in production, and the environment of the tier."""

    def made(into: Path) -> None:
        root = into / "flights"
        shutil.copytree(trained, root, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
        (root / ".venv").symlink_to(trained / ".venv")
        must([mlops_new, "add", "serving=seldon"], root)
        page = root / "serving/seldon/README.md"
        for command in [one for one in commands(page) if one.startswith("uv ")]:
            must(command.split(), root)
        must(["git", "add", "--all"], root)
        must(["git", "commit", "--quiet", "--message=Add serving"], root)
        project = Project(root, "seldon", "serving")
        project.publish()
        must([*DVC, "repro", "--quiet"], root)
        must([*DVC, "push", "--quiet"], root)
        must(["git", "commit", "--quiet", "--all", "--message=Train"], root)
        must(["git", "push", "--quiet"], root)
        must([KIT, "gate"], root)
        must([KIT, "register"], root)
        must([KIT, "promote", "v0.1.0", "--why", "first"], root)

    folder = once("with-seldon", made)
    project = copied(folder / "flights", "serving", "seldon", tmp_path)
    shutil.copytree(folder / "origin.git", project.origin)
    shutil.copytree(folder / "storage", tmp_path / "storage")
    must(["git", "remote", "set-url", "origin", project.origin], project.root)
    must([*DVC, "remote", "modify", "--local", "storage", "url", tmp_path / "storage"], project.root)
    return project


@contextmanager
def served(project: Project, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`mlops-kit serve` in the background; its address, and the process."""
    port, said = free_port(), project.root.parent / "serve.txt"
    command = [str(KIT), "serve", "--port", str(port), "--replicas", "1", *options]
    with said.open("w") as out:
        process = subprocess.Popen(command, cwd=project.root, stdout=out, stderr=subprocess.STDOUT, text=True)
    address = f"http://127.0.0.1:{port}"
    try:
        until("the server", lambda: "curl" in said.read_text() or process.poll() or None, said)
        assert process.poll() is None, said.read_text()
        yield address, process
    finally:
        process.terminate()
        assert process.wait(60) == 0, said.read_text()


def refused(project: Project, *options: str) -> Done:
    """`mlops-kit serve` that must end by itself."""
    return run([KIT, "serve", "--port", str(free_port()), *options], project.root)


def ask(address: str, path: str, body: object = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(address + path, data, {"content-type": "application/json"})
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def rows_and_predictions(project: Project, n: int) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Rows of the sample as JSON, and what the command `predict` writes for them."""
    python, out = project.root / ".venv/bin/python", project.root / "predictions.csv"
    must([python, "-m", "pipeline.predict", "data/sample.csv", "--out", out], project.root)
    code = (
        "import json; from pathlib import Path; from pipeline import read, schema, predict\n"
        "wanted = predict.without_target(schema.load())\n"
        f"frame = read.read(Path('data/sample.csv'), wanted).select(list(wanted.columns)).head({n})\n"
        "print(json.dumps(frame.to_dicts(), default=lambda time: time.isoformat()))"
    )
    with out.open(newline="") as stream:
        return json.loads(must([python, "-c", code], project.root)), list(csv.DictReader(stream))[:n]


def blocks(page: Path, language: str) -> list[str]:
    parts = page.read_text("utf-8").split(f"```{language}\n")[1:]
    return [part.partition("```")[0] for part in parts]


def test_curl_gets_what_predict_wrote(project: Project) -> None:
    rows, written = rows_and_predictions(project, 100)
    page = project.tier / "README.md"
    with served(project) as (address, process):
        status, answer = ask(address, "/predict", {"rows": rows})
        assert (status, answer["version"]) == (200, "v0.1.0")
        assert [one["key"] for one in answer["predictions"]] == [row["key"] for row in written]
        for one, row in zip(answer["predictions"], written, strict=True):
            assert one["probability"] == float(row["probability"])  # the same bits
            assert str(one["prediction"]).lower() == row["prediction"]
            assert (
                ask(address, "/predict", {"rows": [rows[0]]})[1]["predictions"] == answer["predictions"][:1]
            )

        here = address.removeprefix("http://")
        shell = blocks(page, "sh")[0].replace("127.0.0.1:8080", here)
        assert '"version":"v0.1.0"' in must(["sh", "-euc", shell], project.root.parent)
        script = "".join(blocks(page, "python")).replace("127.0.0.1:8080", here)
        first = answer["predictions"][0]
        shown = must([project.tool_named("python"), "-c", script], project.root.parent).splitlines()
        assert shown[0] == f"v0.1.0 {[first]}"
        assert shown[1] == f"[{first['prediction']}]"

        status, answer = ask(address, "/predict", {"rows": [rows[0] | {"carrier": "hunter2"}]})
        assert (status, answer["error"]) == (
            422,
            "row 0, column 'carrier': none of its values in data/schema.yaml",
        )
        assert ask(address, "/v2/models/flights")[1]["parameters"]["path"] == "fast"
        targets = json.loads((project.root / ".mlops/serving/targets.json").read_text())
        (replica,) = [one["targets"][0] for one in targets if one["labels"]["role"] == "replica"]
        metrics = urlopen(f"http://{replica}/metrics", timeout=30).read().decode()
        assert 'mlops_fast_path{version="v0.1.0"} 1.0' in metrics
        assert 'mlops_requests_refused_total{version="v0.1.0"} 1.0' in metrics

        project.change("params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
        must([*DVC, "repro", "--quiet"], project.root)
        must([*DVC, "push", "--quiet"], project.root)
        project.push("Learn faster")
        must([KIT, "gate"], project.root)
        must([KIT, "register"], project.root)
        must([KIT, "promote", "v0.2.0", "--why", "faster"], project.root)
        process.send_signal(signal.SIGHUP)
        until("v0.2.0", lambda: ask(address, "/predict", {"rows": rows})[1]["version"] == "v0.2.0" or None)

    log = project.root / ".mlops/serving/predictions"
    lines = [json.loads(line) for file in log.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert {line["version"] for line in lines} == {"v0.1.0", "v0.2.0"}
    assert all(line["request_id"] for line in lines)
    assert "hunter2" not in json.dumps(lines)
    checked = run([KIT, "monitor", "check", "--json", "--window", f"{log}/*.jsonl"], project.root)
    assert checked.code in (0, 10), checked.said
    assert json.loads(checked.stdout)["service"]["predictions"] == len(lines)
