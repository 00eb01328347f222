"""What a merge that cannot become a version leaves behind: everything as it was, and the reason."""

from pathlib import Path

from tests.act.flights import DATA, GREEN, RED, events, merge, new_pointer, nothing_happened, rejected
from tests.act.forge import Forge
from tests.act.remotes import Folder


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


def test_closed_gates_leave_a_record_and_no_tag(trained: Path, first: Forge, folder: Folder) -> None:
    forge, kept = first, folder.keys()
    text = (trained / "mlops.yaml").read_text("utf-8")  # with the gate that `first` does without
    for old, new in (
        ("at_least: baseline.roc_auc", "at_least: 0.99"),
        ("gap_at_most: 0.15", "gap_at_most: 0.0001"),
        ("p95_seconds_at_most: 0.05", "p95_seconds_at_most: 0.0001"),
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
