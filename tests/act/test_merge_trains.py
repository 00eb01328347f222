"""What a merge, and whatever else trains, leaves behind: tags, events, data, and calls of GitHub's API."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlops_new import dvc

from tests.act.forge import Forge
from tests.act.remotes import Folder
from tests.conftest import must, python_of

GREEN = {"train": "success", "register": "success"}
CHECKS = {"lint": "success", "test": "success", "data": "success"}
RED = {"train": "failure", "register": "success"}
DATA = "data/flights.parquet"


def record(forge: Forge, version: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(forge.show(f"flights@{version}:record.json"))
    return content


def events(forge: Forge) -> list[dict[str, Any]]:
    """Of all runs that were published."""
    listed = forge.git_bare("ls-tree", "-r", "--name-only", "mlops/runs", "events").splitlines()
    lines = "\n".join(forge.show(f"mlops/runs:{path}") for path in listed).splitlines()
    return [json.loads(line) for line in lines]


def rejected(forge: Forge) -> list[dict[str, Any]]:
    listed = forge.git_bare("ls-tree", "-r", "--name-only", "mlops/runs", "rejected").splitlines()
    return [json.loads(forge.show(f"mlops/runs:{path}")) for path in listed]


def merge(forge: Forge, path: str, old: str, new: str) -> str:
    """A commit on main that replaces what stands once in a file."""
    text = (forge.work / path).read_text("utf-8")
    assert text.count(old) == 1, f"{path} holds {text.count(old)} times: {old}"
    return forge.merge(f"Change {path}", {path: text.replace(old, new)})


def rows(forge: Forge, change: str, to: Path) -> Path:
    """The raw data, changed by an expression of polars over `f`."""
    code = f"import polars as pl; f = pl.read_parquet('{DATA}'); ({change}).write_parquet({str(to)!r})"
    must([python_of(forge.work), "-c", code], forge.work)
    return to


def new_pointer(forge: Forge, folder: Folder, change: str, to: Path) -> str:
    """Changed data, as somebody tracks and pushes it; the text of its pointer."""
    file = rows(forge, change, to / "flights.parquet")
    md5, text = dvc.pointer(file)
    folder.put(f"files/md5/{md5[:2]}/{md5[2:]}", file)
    return text


# ---- merges ----


def test_a_merge_becomes_a_version(forge_with_folder: Forge) -> None:
    forge = forge_with_folder
    main = forge.refs("refs/heads")["main"]
    outcome = forge.run("train.yml")
    outcome.must(jobs=GREEN)
    assert outcome.outputs["register"]["register"]["version"] == "v0.1.0"
    assert list(forge.refs()) == ["flights@v0.1.0"]
    assert forge.refs("refs/heads")["main"] == main
    made = record(forge, "v0.1.0")
    assert made["code"]["commit"] == outcome.commit
    assert made["trigger"]["event"] == "push"
    assert {gate["status"] for gate in made["gates"]} == {"pass"}
    assert [(file["path"], file["rows"]) for file in made["data"]] == [(DATA, 12000)]
    assert "first version" in made["description"].lower()
    found = [(event["stage"], event["status"]) for event in events(forge)]
    assert found[0] == ("run", "start")
    assert [stage for stage, status in found if status == "start"] == [
        *("run", "validate", "train", "gate", "hand-over", "register")
    ]
    assert forge.api.unknown == []


def test_what_changed_is_what_the_version_says(first: Forge, folder: Folder, tmp_path: Path) -> None:
    forge = first
    merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
    forge.run("train.yml").must(jobs=GREEN)
    says = record(forge, "v0.2.0")["description"]
    assert re.search(r"learning_rate.*0\.05.*0\.1", says)
    assert "Change params.yaml" in says

    merge(forge, "pipeline/train.py", '"median"', '"mean"')
    forge.merge("Take newer flights", {f"{DATA}.dvc": new_pointer(forge, folder, "f[500:]", tmp_path)})
    forge.run("train.yml").must(jobs=GREEN)  # the run of the merge before was lost
    made = record(forge, "v0.3.0")
    assert made["since"] == "v0.2.0"
    assert "pipeline/train.py" in made["description"]
    assert "Take newer flights" in made["description"]
    assert "Change pipeline/train.py" in made["description"]
    assert re.search(r"12,?000.*11,?500", made["description"])


def test_nothing_new_is_no_version(first: Forge, folder: Folder) -> None:
    forge, kept = first, _files(folder)
    again = forge.run("train.yml", attempt=2)
    again.must(jobs=GREEN)
    assert again.outputs["register"]["register"]["outcome"] == "identical"
    forge.merge("Write more", {"docs/more.md": "More.\n"})
    outcome = forge.run("train.yml", "workflow_dispatch")
    outcome.must(jobs=GREEN)
    assert "nothing to train: no input changed" in outcome.notices
    assert list(forge.refs()) == ["flights@v0.1.0"]
    assert _files(folder) == kept


def _files(folder: Folder) -> list[str]:
    """Without the run-cache, which remembers that there was nothing to do."""
    listed = folder.keys()
    return [key for key in listed if key.startswith("files/")]


def test_going_back_is_the_version_it_was(first: Forge) -> None:
    forge = first
    merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
    forge.run("train.yml").must(jobs=GREEN)
    merge(forge, "params.yaml", "learning_rate: 0.1", "learning_rate: 0.05")
    outcome = forge.run("train.yml")
    outcome.must(jobs=GREEN)
    assert outcome.outputs["register"]["register"]["version"] == "v0.1.0"
    assert any("Identical to v0.1.0" in message.text for message in outcome.messages)
    assert list(forge.refs()) == ["flights@v0.1.0", "flights@v0.2.0"]


def test_two_at_once_are_two_versions(first: Forge) -> None:
    forge = first
    one = merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.06")
    two = merge(forge, "params.yaml", "learning_rate: 0.06", "learning_rate: 0.07")
    with ThreadPoolExecutor(2) as both:
        for outcome in both.map(lambda commit: forge.run("train.yml", at=commit), (one, two)):
            outcome.must(jobs=GREEN)
    assert list(forge.refs()) == ["flights@v0.1.0", "flights@v0.2.0", "flights@v0.3.0"]
    made = {record(forge, version)["code"]["commit"] for version in ("v0.2.0", "v0.3.0")}
    assert made == {one, two}
    assert len({event["run"] for event in events(forge)}) == 2


# ---- what goes wrong ----


def nothing_happened(forge: Forge, folder: Folder, kept: list[str]) -> None:
    assert list(forge.refs()) == ["flights@v0.1.0"]
    assert folder.keys() == kept


def test_refused_data_trains_nothing(first: Forge, folder: Folder, tmp_path: Path) -> None:
    forge = first
    worse = new_pointer(forge, folder, "f.with_columns(humidity=pl.lit(250.0))", tmp_path)
    forge.merge("Take wet flights", {f"{DATA}.dvc": worse})
    kept = folder.keys()
    outcome = forge.run("train.yml")
    outcome.must(jobs=RED)
    assert outcome.steps["train"]["Check the data"] == "failure"
    assert "Train and evaluate" not in outcome.steps["train"]
    assert any("humidity" in message.text for message in outcome.messages if message.kind == "error")
    nothing_happened(forge, folder, kept)
    assert [event["status"] for event in events(forge)[-2:]] == ["nothing", "end"]
    assert ("validate", "refused") in {(event["stage"], event["status"]) for event in events(forge)}


def test_a_training_that_crashes_registers_nothing(first: Forge, folder: Folder) -> None:
    forge, kept = first, folder.keys()
    merge(
        forge,
        "pipeline/train.py",
        "def main() -> None:",
        'def main() -> None:\n    raise SystemExit("no luck")',
    )
    outcome = forge.run("train.yml")
    outcome.must(jobs=RED)
    assert outcome.steps["train"]["Train and evaluate"] == "failure"
    nothing_happened(forge, folder, kept)
    (failed,) = (
        event for event in events(forge) if event["status"] == "failed" and event["stage"] == "train"
    )
    assert "no luck" in failed["error"]


def test_closed_gates_leave_a_record_and_no_tag(first: Forge, folder: Folder) -> None:
    forge, kept = first, folder.keys()
    text = (forge.work / "mlops.yaml").read_text("utf-8")
    for old, new in (
        ("at_least: baseline.roc_auc", "at_least: 0.99"),
        ("gap_at_most: 0.15", "gap_at_most: 0.0001"),
        ("p95_seconds_at_most: 30", "p95_seconds_at_most: 0.001"),
        ("mb_at_most: 50", "mb_at_most: 0.0001"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    forge.merge("Ask for the impossible", {"mlops.yaml": text})
    merge(forge, "params.yaml", "max_iter: 100", "max_iter: 2")
    outcome = forge.run("train.yml")
    outcome.must(jobs={"train": "failure", "register": "failure"})
    nothing_happened(forge, folder, kept)
    (made,) = rejected(forge)
    closed = {gate["name"] for gate in made["gates"] if gate["status"] != "pass"}
    assert closed >= {
        "better-than-baseline",
        "fair-by-origin",
        "latency",
        "size",
        "not-worse-than-production",
    }
    assert "fair-by-carrier" not in closed
    assert made["version"] is None
    report = outcome.summaries["train"]["Report"]
    assert "better-than-baseline" in report


def test_a_push_of_data_that_stops_half_way(first: Forge, folder: Folder) -> None:
    forge = first
    in_the_way = [folder.folder / "files/md5" / f"{number:02x}" for number in range(256)]
    in_the_way = [path for path in in_the_way if not path.exists()]
    for path in in_the_way:
        path.write_text("")
    merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.1")
    outcome = forge.run("train.yml")
    outcome.must(jobs=RED)
    assert outcome.steps["train"]["Push the data and hand over"] == "failure"
    assert list(forge.refs()) == ["flights@v0.1.0"]
    for path in in_the_way:
        path.unlink()
    forge.run("train.yml", attempt=2).must(jobs=GREEN)
    assert list(forge.refs()) == ["flights@v0.1.0", "flights@v0.2.0"]


def test_a_rule_that_refuses_the_tag_is_named(forge_with_folder: Forge) -> None:
    forge = forge_with_folder
    forge.reject("refs/tags/*", "Cannot create ref due to creations being restricted.")
    outcome = forge.run("train.yml")
    outcome.must(jobs={"train": "success", "register": "failure"})
    assert "A rule of origin refuses the tag flights@v0.1.0" in outcome.log
    assert "bypass list" in outcome.log
    assert forge.refs() == {}


def test_what_a_dispatch_carries_is_not_run(first: Forge, tmp_path: Path) -> None:
    target = tmp_path / "touched"
    evil = f"$(touch {target}); `touch {target}`; ${{{{ github.token }}}}"
    payload = {"client_payload": {"ref": evil, "pointer": evil, evil: evil}, "action": "new-data"}
    outcome = first.run("train.yml", "repository_dispatch", payload=payload)
    outcome.must(jobs=GREEN)
    assert not target.exists()
    assert list(first.refs()) == ["flights@v0.1.0"]


# ---- day one, forks, pull requests ----


def test_without_a_remote_it_trains_on_the_sample(forge: Forge) -> None:
    outcome = forge.run("train.yml")
    outcome.must(jobs=GREEN)
    assert any("no remote" in message.text for message in outcome.messages)
    assert "no remote" in outcome.summaries["train"]["Report"]
    assert forge.refs() == {}


def test_a_pull_request_gets_one_comment(first: Forge, folder: Folder) -> None:
    forge, kept = first, folder.keys()
    forge.git("switch", "--quiet", "--create", "slower")
    text = (forge.work / "params.yaml").read_text("utf-8")
    forge.commit("Learn less", {"params.yaml": text.replace("max_iter: 100", "max_iter: 3")})
    number = forge.pull_request("slower")
    outcome = forge.run("ci.yml", "pull_request", pull=number)
    outcome.must(
        jobs={
            "lint": "success",
            "test": "success",
            "data": "success",
            "train": "failure",
            "comment": "success",
        }
    )
    (comment,) = forge.api.comments
    first_text = comment["body"]
    assert "worse than v0.1.0" in first_text
    assert any("will retrain: train" in message.text for message in outcome.messages)

    forge.commit("Learn as before", {"params.yaml": text.replace("seed: 42", "seed: 43")})
    assert forge.pull_request("slower") == number
    forge.run("ci.yml", "pull_request", pull=number).must(
        jobs={**CHECKS, "train": "success", "comment": "success"}
    )
    (again,) = forge.api.comments
    assert again["id"] == comment["id"]
    assert again["body"] != first_text
    assert list(forge.refs()) == ["flights@v0.1.0"]
    assert folder.keys() == kept
    assert forge.api.unknown == []


def test_a_fork_trains_on_the_sample_without_secrets(first: Forge, folder: Folder) -> None:
    forge = first
    forge.git("switch", "--quiet", "--create", "theirs")
    text = (forge.work / "params.yaml").read_text("utf-8")
    forge.commit("Learn faster", {"params.yaml": text.replace("learning_rate: 0.05", "learning_rate: 0.1")})
    number = forge.pull_request("theirs", fork=True)
    with folder.unreachable():
        outcome = forge.run("ci.yml", "pull_request", pull=number)
    outcome.must(jobs={"lint": "success", "test": "success", "data": "success", "train": "success"})
    assert "fork: trained on the committed sample, nothing registered" in outcome.notices
    assert forge.api.comments == []
    assert list(forge.refs()) == ["flights@v0.1.0"]


# ---- new data and the cadence ----


@pytest.fixture
def watched(first: Forge, tmp_path: Path) -> tuple[Forge, Path]:
    """A folder where flights land; the newest file replaces the data."""
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    watch = {"pointer": f"{DATA}.dvc", "folder": str(incoming), "pattern": "*.parquet", "settle_seconds": 0}
    text = (first.work / "mlops.yaml").read_text("utf-8")
    first.merge("Watch a folder", {"mlops.yaml": text + yaml.safe_dump({"new_data": {"watch": [watch]}})})
    return first, incoming


def test_new_data_trains_and_reaches_main(watched: tuple[Forge, Path]) -> None:
    forge, incoming = watched
    quiet = forge.run("schedule.yml", "schedule")
    assert quiet.jobs["cadence/train"] == quiet.jobs["cadence/register"] == "success"
    assert list(forge.refs()) == ["flights@v0.1.0"]

    before = forge.refs("refs/heads")["main"]
    rows(forge, "f[500:]", incoming / "2014.parquet")
    forge.run("train.yml", "repository_dispatch", payload={"action": "new-data"}).must(jobs=GREEN)
    assert list(forge.refs()) == ["flights@v0.1.0", "flights@v0.2.0"]
    assert record(forge, "v0.2.0")["data"][0]["rows"] == 11500
    main = forge.refs("refs/heads")["main"]
    assert forge.git_bare("diff", "--name-only", before, main) == f"{DATA}.dvc"

    forge.run("train.yml", "repository_dispatch", payload={"action": "new-data"}).must(jobs=GREEN)
    assert forge.refs("refs/heads")["main"] == main
    assert len(forge.refs()) == 2

    forge.git("pull", "--quiet", "origin", "main")
    merge(forge, "params.yaml", "learning_rate: 0.05", "learning_rate: 0.06")
    forge.run("train.yml").must(jobs=GREEN)
    assert record(forge, "v0.3.0")["data"] == record(forge, "v0.2.0")["data"]


def test_new_data_reaches_a_protected_main_by_one_pull_request(watched: tuple[Forge, Path]) -> None:
    forge, incoming = watched
    forge.reject("refs/heads/main")
    before = forge.refs("refs/heads")["main"]
    rows(forge, "f[500:]", incoming / "2014.parquet")
    for _ in range(2):
        forge.run("train.yml", "repository_dispatch", payload={"action": "new-data"}).must(jobs=GREEN)
    assert forge.refs("refs/heads")["main"] == before
    (pull,) = forge.api.pulls
    assert pull["head"]["ref"] == "mlops/data"
    assert record(forge, "v0.2.0")["data"][0]["rows"] == 11500


def test_new_data_that_is_refused_is_one_alarm(watched: tuple[Forge, Path], folder: Folder) -> None:
    forge, incoming = watched
    kept = folder.keys()
    rows(forge, "f.with_columns(humidity=pl.lit(250.0))", incoming / "2014.parquet")
    for _ in range(2):
        outcome = forge.run("train.yml", "repository_dispatch", payload={"action": "new-data"})
        outcome.must(jobs=RED)
        assert "Train and evaluate" not in outcome.steps["train"]
    nothing_happened(forge, folder, kept)
    (issue,) = forge.api.issues
    assert "humidity" in issue["body"]
    (incoming / "2014.parquet").unlink()
    rows(forge, "f[500:]", incoming / "2014b.parquet")
    forge.run("train.yml", "repository_dispatch", payload={"action": "new-data"}).must(jobs=GREEN)
    assert forge.api.issues[0]["state"] == "closed"


# ---- the other ways to have the kit, and another remote ----


def test_the_kit_in_the_repository_itself(mlops_new: Path, forge_with_folder: Forge, tmp_path: Path) -> None:
    forge = forge_with_folder
    must([mlops_new, tmp_path / "vendored" / "flights", "--kit", "vendored"], tmp_path)
    new = tmp_path / "vendored" / "flights"
    changed = [path for path in must(["git", "ls-files"], new).splitlines() if path.startswith(".github/")]
    forge.merge("Take the kit in", {path: (new / path).read_bytes() for path in changed})
    assert "mlops-new/mlops-new" not in (forge.work / ".github/workflows/train.yml").read_text()
    forge.run("train.yml").must(jobs=GREEN)
    assert list(forge.refs()) == ["flights@v0.1.0"]


def test_a_remote_on_s3(forge_with_s3: Forge) -> None:
    forge = forge_with_s3
    forge.run("train.yml").must(jobs=GREEN)
    assert list(forge.refs()) == ["flights@v0.1.0"]
