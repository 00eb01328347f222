"""The versions in offline runs of W&B, read back by W&B's own protobuf; and an upload to a server that is down."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Done, must, run
from tests.tiers.machine import free_port
from tests.tiers.project import Project, reject

READ = """
import json, struct, sys
from pathlib import Path
from google.protobuf.json_format import MessageToDict
from wandb.proto import wandb_internal_pb2 as messages

def records(data):
    at, whole = 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        whole += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):
            yield messages.Record.FromString(whole)
            whole = b""

def told(file):
    found = {"config": {}, "summary": {}, "artifacts": [], "ended": False}
    for record in records(file.read_bytes()):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            found |= {"name": record.run.display_name, "notes": record.run.notes, "tags": list(record.run.tags)}
            found["config"] = {one.key: json.loads(one.value_json) for one in record.run.config.update}
        elif kind == "summary":
            found["summary"] |= {one.key: json.loads(one.value_json) for one in record.summary.update if one.key}
        elif kind == "artifact":
            found["artifacts"].append(MessageToDict(record.artifact))
        found["ended"] |= kind == "exit"
    return found

print(json.dumps([told(file) for file in sorted(Path(sys.argv[1]).glob("wandb/offline-run-*/*.wandb"))]))
"""


def kit(project: Project, *words: str, **more: str) -> Done:
    command = Path(sys.executable).with_name("mlops-kit")
    return run([command, *words], project.root, WANDB_API_KEY="", **more)


def told(project: Project) -> dict[str, Any]:
    read = must([project.tool_named("python"), "-c", READ, project.root / ".mlops/wandb"], project.root)
    return {one["name"]: one for one in json.loads(read)}


def written(project: Project) -> dict[Path, bytes]:
    files = (project.root / ".mlops/wandb").rglob("*")
    return {file: file.read_bytes() for file in files if file.is_file()}


def test_the_history_stands_in_offline_runs(with_tool: Callable[..., Project]) -> None:
    project = with_tool("wandb", "registry")
    must([project.tool_named("mypy")], project.tier)
    project.publish()
    for words in (["train"], ["gate"], ["register"], ["promote", "v0.1.0", "--why", "a test"]):
        done = kit(project, *words)
        assert done.code == 0, done.said
        assert "warning" not in done.stderr
    _a_version_is_a_run_with_its_model(project)
    _a_rejected_model_is_a_run_without(project)
    _a_second_sync_writes_nothing(project)
    _a_sync_that_was_cut_short_goes_on(project)
    _an_upload_to_a_server_that_is_down_is_behind(project)


def _record(project: Project) -> Any:
    return json.loads(must(["git", "show", "flights@v0.1.0:record.json"], project.root))


def _a_version_is_a_run_with_its_model(project: Project) -> None:
    record, found = _record(project), told(project)
    assert found.keys() == {"v0.1.0", "production: v0.1.0"}
    version = found["v0.1.0"]
    assert version["ended"]
    assert (version["tags"], version["notes"]) == (["version"], record["description"])
    assert version["config"]["train.arguments.max_iter"] == 30
    assert version["summary"]["model.roc_auc"] == record["metrics"]["model"]["roc_auc"]["value"]
    assert version["summary"]["model.roc_auc.low"] == record["metrics"]["model"]["roc_auc"]["low"]
    (model,) = version["artifacts"]
    lineage = json.loads(model["metadata"])
    assert lineage == version["config"]["lineage"]
    assert lineage["code"] == record["code"]["commit"]
    assert lineage["data"] == {"data/flights.parquet": record["data"][0]["md5"]}
    assert (model["name"], model["type"]) == ("flights", "model")
    assert set(model["aliases"]) == {"v0.1.0", "latest"}
    staged = {one["path"]: Path(one["localPath"]) for one in model["manifest"]["contents"]}
    assert staged["model/model.joblib"].read_bytes() == (project.root / "model/model.joblib").read_bytes()
    (promoted,) = found["production: v0.1.0"]["artifacts"]
    assert set(promoted["aliases"]) == {"v0.1.0", "production", "latest"}
    assert promoted["digest"] == model["digest"]  # so it is the same version, with another alias


def _a_rejected_model_is_a_run_without(project: Project) -> None:
    reject(project, "run-7")
    done = kit(project, "registry", "sync")
    assert done.code == 0, done.said
    found = told(project)["rejected run-7"]
    assert (found["tags"], found["artifacts"]) == (["rejected"], [])
    assert found["config"]["lineage"]["closed_by"] == ["better-than-baseline"]


def _a_second_sync_writes_nothing(project: Project) -> None:
    before = written(project)
    done = kit(project, "registry", "sync")
    assert done.code == 0, done.said
    assert "0 runs written; 3 wait for an upload, which needs WANDB_API_KEY" in done.stderr
    assert written(project) == before


def _a_sync_that_was_cut_short_goes_on(project: Project) -> None:
    """And what is not in DVC's cache comes from its remote."""
    (project.root / ".mlops/wandb/written.jsonl").unlink()
    shutil.rmtree(project.root / ".dvc/cache")
    before = told(project)
    done = kit(project, "registry", "sync")
    assert done.code == 0, done.said
    runs = list((project.root / ".mlops/wandb/wandb").glob("offline-run-*"))
    assert len(runs) == 3
    (was,), (now,) = (found["v0.1.0"]["artifacts"] for found in (before, told(project)))
    assert now["digest"] == was["digest"]


def _an_upload_to_a_server_that_is_down_is_behind(project: Project) -> None:
    nowhere = {"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": f"http://127.0.0.1:{free_port()}"}
    command = Path(sys.executable).with_name("mlops-kit")
    done = run([command, "registry", "sync"], project.root, **nowhere)
    assert done.code == 1, done.said
    assert "the next sync uploads what waits" in done.stderr
    assert "3 wait for an upload" in kit(project, "registry", "sync").stderr
