"""A week of a team, and what can be asked afterwards: `pytest tests/act/week.py -s`, about four minutes.

Not among the tests that run on every change, because each event has a test of its own there.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.act.flights import CHECKS, GREEN, RED, events, merge, record, rows
from tests.act.forge import Forge
from tests.act.remotes import Folder
from tests.act.test_new_data import watched
from tests.conftest import must, run

__all__ = ["watched"]  # a fixture
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
VERSIONS = ["v0.1.0", "v0.2.0", "v0.3.0"]
MIRRORED = """
import json, mlflow
client = mlflow.MlflowClient()
versions = {one.tags["mlops.name"]: str(one.version) for one in client.search_model_versions("name = 'flights'")}
print(json.dumps([versions, {name: str(one) for name, one in client.get_registered_model("flights").aliases.items()}]))
"""


def test_a_week(watched: tuple[Forge, Path], folder: Folder, mlops_new: Path, tmp_path: Path) -> None:
    forge, incoming = watched
    _monday_a_merge(forge)
    _tuesday_a_pull_request_that_is_worse(forge)
    _wednesday_new_data(forge, incoming)
    _thursday_a_crash_and_back(forge)
    _friday_a_fork_and_promotions(forge, folder)
    assert [name for name in forge.refs() if "@" in name] == [f"flights@{one}" for one in VERSIONS]
    assert {"failed", "end", "registered"} <= {event["status"] for event in events(forge)}

    clone = tmp_path / "colleague"
    must(["git", "clone", "--quiet", "--depth=1", forge.bare.as_uri(), clone], tmp_path)
    _asked(clone, forge)
    _in_mlflow(clone, mlops_new)


def _monday_a_merge(forge: Forge) -> None:
    merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.06")
    forge.run("train.yml").must(jobs=GREEN)


def _tuesday_a_pull_request_that_is_worse(forge: Forge) -> None:
    forge.git("switch", "--quiet", "--create", "worse")
    text = (forge.work / "params.yaml").read_text("utf-8")
    forge.commit("Learn less", {"params.yaml": text.replace("max_iter: 100", "max_iter: 3")})
    outcome = forge.run("ci.yml", "pull_request", pull=forge.pull_request("worse"))
    outcome.must(jobs=CHECKS | {"train": "failure", "comment": "success"})
    (comment,) = forge.api.comments
    assert "worse than v0.2.0" in comment["body"]
    forge.git("switch", "--quiet", "main")


def _wednesday_new_data(forge: Forge, incoming: Path) -> None:
    rows(forge, "f[500:]", incoming / "2014.parquet")
    forge.run("train.yml", "repository_dispatch", payload={"action": "new-data"}).must(jobs=GREEN)
    forge.git("pull", "--quiet", "origin", "main")
    assert record(forge, "v0.3.0")["data"][0]["rows"] == 11500


def _thursday_a_crash_and_back(forge: Forge) -> None:
    crash = 'def main() -> None:\n    raise SystemExit("no luck")'
    merge(forge, "pipeline/train.py", "def main() -> None:", crash)
    forge.run("train.yml").must(jobs=RED)
    merge(forge, "pipeline/train.py", crash, "def main() -> None:")
    forge.run("train.yml").must(jobs=GREEN)  # and says that it is v0.3.0


def _friday_a_fork_and_promotions(forge: Forge, folder: Folder) -> None:
    forge.git("switch", "--quiet", "--create", "theirs")
    text = (forge.work / "params.yaml").read_text("utf-8")
    forge.commit("Learn faster", {"params.yaml": text.replace("learning_rate: 0.06", "learning_rate: 0.1")})
    number = forge.pull_request("theirs", fork=True)
    with folder.unreachable():
        forge.run("ci.yml", "pull_request", pull=number).must(jobs=CHECKS | {"train": "success"})
    forge.git("switch", "--quiet", "main")
    for version in (*VERSIONS, ""):
        inputs = {"version": version, "stage": "production", "why": "It was asked for."}
        moved = forge.run("promote.yml", "workflow_dispatch", inputs=inputs)
        assert moved.jobs["move"] == "success"


def _asked(clone: Path, forge: Forge) -> None:
    """One command a question, in a clone without history and data."""

    def ask(*words: str) -> Any:
        return json.loads(must([sys.executable, "-m", "mlops_kit", *words, "--json"], clone))

    known = {one["version"]: one["stages"] for one in ask("versions")}
    assert known == {"v0.1.0": [], "v0.2.0": ["production"], "v0.3.0": []}
    changed = {pair: ask("why", *pair)["changed"] for pair in (("v0.1.0", "v0.2.0"), ("v0.2.0", "v0.3.0"))}
    causes = {
        pair: [name for name in ("code", "data", "params", "env") if found[name]]
        for pair, found in changed.items()
    }
    assert causes == {("v0.1.0", "v0.2.0"): ["params"], ("v0.2.0", "v0.3.0"): ["data"]}
    for words in (["--stage", "production"], ["--at", "0h", "--stage", "production"]):
        assert [one["version"] for one in ask("lineage", *words)["found"]] == ["v0.2.0"]
    assert ask("show", "v0.3.0")["lineage"]["version"] == "v0.3.0"
    listed = ask("runs", "--limit", "0")
    assert {"failed", "done"} <= {one["status"] for one in listed}
    assert forge.api.unknown == []


def _in_mlflow(clone: Path, mlops_new: Path) -> None:
    must([mlops_new, "add", "registry=mlflow"], clone)
    must(["git", "add", "--all"], clone)
    must(["git", "commit", "--quiet", "--no-verify", "--message=Add MLflow"], clone)
    tier = clone / "registry/mlflow"
    must(["uv", "sync", "--quiet", "--project", tier], clone)
    done = run([sys.executable, "-m", "mlops_kit", "registry", "sync"], clone, **QUIET)
    assert done.code == 0, done.said
    uri = {"MLFLOW_TRACKING_URI": f"sqlite:///{clone}/.mlops/mlflow/mlflow.db"}
    said = must([tier / ".venv/bin/python", "-c", MIRRORED], clone, **uri, **QUIET)
    versions, aliases = json.loads(said.splitlines()[-1])
    assert sorted(versions) == VERSIONS
    assert aliases["champion"] == versions["v0.2.0"]
