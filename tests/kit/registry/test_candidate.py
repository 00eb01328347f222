"""What the job that trains hands over, and what the job that registers believes of it."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.project.repository import Repository
from mlops_kit.registry import candidate, register, version_commit
from mlops_kit.registry.version_commit import Registered
from mlops_kit.runs import events
from mlops_kit.versions import draft, record, records, version
from mlops_kit.versions.record import Record

from tests.conftest import must
from tests.kit.tips import clone_of, kit, means, new_bills
from tests.kit.training.test_train import silent


@pytest.fixture
def handed(gated: Repository) -> tuple[Repository, Path]:
    """What the first job hands over, and the second job's clone."""
    register.hand_over(gated, means(gated), silent)
    clone = clone_of(gated, "runner", "--depth=1")
    shutil.copytree(gated.root / "mlops-run", clone.root / "mlops-run")
    return clone, clone.root / "mlops-run"


def take_over(handed: tuple[Repository, Path]) -> Registered:
    clone, folder = handed
    return register.receive(clone, means(clone), folder, "minor", silent)


def test_what_was_handed_over_is_registered_without_dvc_or_data(
    handed: tuple[Repository, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, _ = handed
    done = take_over(handed)
    assert (done.outcome, done.version) == ("registered", "v0.1.0")
    published = must(["git", "ls-remote", "--heads", "origin", events.BRANCH], clone.root)
    assert published
    lines = clone.git("show", f"origin/{events.BRANCH}:{_only_events(clone)}")
    assert [event["stage"] for event in events.read(lines)][:2] == ["run", "train"]


def _only_events(clone: Repository) -> str:
    (path,) = clone.git("ls-tree", "-r", "--name-only", f"origin/{events.BRANCH}", "events").split()
    return path


TAMPERED = {
    "better metrics": ("metrics.json", r'"mae": \d', '"mae": 0', "metrics"),
    "better metrics in the record": ("record.json", r'"mae": \d', '"mae": 0', "metrics are not the file's"),
    "other parameters": ("record.json", '"digits": 3', '"digits": 4', "parameters are not the lock's"),
    "another commit": ("record.json", '"commit": "..', '"commit": "00', "it was made at 00"),
    "other code in the lock": (
        "dvc.lock",
        r"(path: train.sh\n.*\n *md5: )..",
        r"\g<1>00",
        "lock",
    ),
    "another verdict": ("gates.json", '"status": "pass"', '"status": "fail"', "gates are not the verdict's"),
    "a table that the lock has not": ("record.json", '"path": "train.csv"', '"path": "x.csv"', "tables"),
    "another model": ("record.json", '"model": "tips"', '"model": "payments"', "the model is 'payments'"),
    "a version": ("record.json", '"version": null', '"version": "v9.9.9"', "it has a version already"),
    "a run of two lines": (
        "record.json",
        '"run": "',
        r'"run": "1\\nIdentity: 0 1\\n',
        "trigger.run is not one short line",
    ),
    "another measurement": ("record.json", '"measured": {', '"measured": {"x": 1, ', "what was measured"),
    "a champion that is none": ("gates.json", '"against": "', '"against": "main', "'main' is not a version"),
    "another kind of gate": ("gates.json", '"kind": "threshold"', '"kind": "size"', "not that of mlops.yaml"),
    "another command": (
        "dvc.lock",
        "cmd: sh train.sh",
        "cmd: sh evil.sh",
        "its command is not that of dvc.yaml",
    ),
    "no gate": ("gates.json", r'"results": \[[^\]]*\]', '"results": []', "no result"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_hand_over_that_was_altered_is_refused(what: str, handed: tuple[Repository, Path]) -> None:
    name, old, new, says = TAMPERED[what]
    path = handed[1] / name
    text = path.read_text()
    altered = re.sub(old, new, text)
    assert altered != text
    path.write_text(altered)
    with pytest.raises(KitError, match="does not fit commit") as refused:
        take_over(handed)
    assert says in refused.value.what
    assert must(["git", "ls-remote", "--tags", "origin"], handed[0].root) == ""


def test_on_a_runner_the_runner_says_who_when_and_which_run(
    handed: tuple[Repository, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, folder = handed
    for name, value in {
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_ACTOR": "ada",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REPOSITORY": "acme/tips",
    }.items():
        monkeypatch.setenv(name, value)
    events_file = folder / "events.jsonl"
    lines = [json.loads(line) for line in events_file.read_text().splitlines()]
    said = [line | {"run": "77-1"} for line in lines] + [lines[0]]
    said[0] |= {"actor": "mallory", "event_name": "schedule", "commit": "x", "machine": "m"}
    events_file.write_text("".join(json.dumps(line) + "\n" for line in said))
    assert take_over(handed).version == "v0.1.0"
    trigger = newest(clone).trigger
    assert (trigger.run, trigger.actor, trigger.event) == ("77-2", "ada", "push")
    assert trigger.url == "https://github.com/acme/tips/actions/runs/77"
    assert newest(clone).reported
    published = events.read(clone.git("show", f"origin/{events.BRANCH}:{_only_events(clone)}"))
    assert {event["run"] for event in published} == {"77-2"}
    start = published[0]
    assert (start["actor"], start["event_name"], start["commit"]) == ("ada", "push", clone.commit())
    assert "machine" not in start


def test_a_hand_over_with_a_path_outside_is_refused(handed: tuple[Repository, Path]) -> None:
    (handed[1] / candidate.NEW_DATA).write_text('{"pointers": {"../../evil.dvc": "outs: []"}}')
    with pytest.raises(KitError, match=r"not a pointer that mlops\.yaml watches"):
        take_over(handed)
    assert not (handed[0].root.parent.parent / "evil.dvc").exists()


def test_a_training_that_was_killed_is_recorded(gated: Repository) -> None:
    clone = clone_of(gated, "runner", "--depth=1")
    done = register.receive(clone, means(clone), clone.root / "mlops-run", "minor", silent)
    assert done.outcome == "nothing"
    lines = clone.git("show", f"origin/{events.BRANCH}:{_only_events(clone)}")
    assert events.read(lines)[0]["status"] == "crashed"


def test_events_that_are_no_text_do_not_keep_a_model_out(handed: tuple[Repository, Path]) -> None:
    clone, folder = handed
    with (folder / "events.jsonl").open("ab") as stream:
        stream.write(b"\xff\xfe\0")
    taken = candidate.events(clone, candidate.handover(means(clone), folder))
    assert taken.left_out == 1 and len(taken.events) > 3
    assert take_over(handed).version == "v0.1.0"


def test_the_two_ends_at_once_are_refused(gated: Repository) -> None:
    done = kit(gated, "register", "--hand-over", "--from", ".")
    assert done.code == 2
    assert "give one of them" in done.stderr


# ---- the columns of what was trained on, which only the first job can tell ----


def newest(repository: Repository) -> Record:
    found = records.newest(repository, "tips")
    assert found
    return found


def rewritten(folder: Path, **table: Any) -> None:
    path = folder / candidate.DRAFT
    content = json.loads(path.read_text())
    content["tables"][0]["table"] |= table
    path.write_text(json.dumps(content))


def test_the_columns_of_the_training_rows_are_in_the_record(handed: tuple[Repository, Path]) -> None:
    take_over(handed)
    (summed,) = newest(handed[0]).tables
    assert summed.path == "train.csv"
    assert summed.table.rows == 320
    assert [column.name for column in summed.table.columns] == ["bill", "tip"]  # without the key


def test_of_the_same_data_the_version_before_is_believed(
    handed: tuple[Repository, Path], gated: Repository
) -> None:
    take_over(handed)
    first = newest(handed[0])
    before = first.tables
    version.fetch(gated, "tips")
    assert draft.tables(gated, means(gated), gated.lock() or pytest.fail(), first) == before
    counted = first.model_copy(update={"data": [one.model_copy(update={"rows": 7}) for one in first.data]})
    lock, commit = gated.lock() or pytest.fail(), gated.commit()
    assert [one.rows for one in draft.data(gated, lock, commit, counted)] == [7]
    assert [one.rows for one in draft.data(gated, lock, commit, None)] != [7]
    rewritten(handed[1], rows=9)
    spoiled = record.parse((handed[1] / candidate.DRAFT).read_text(), "it")
    assert version_commit.of_the_same_data(spoiled, newest(handed[0]))["tables"] == before


def test_columns_without_bound_are_refused(handed: tuple[Repository, Path]) -> None:
    one = {"name": "x" * 10_000, "type": "number", "missing": 0}
    rewritten(handed[1], columns=[one])
    with pytest.raises(KitError, match=r"is not a record: tables\.0\.table\.columns\.0\.name"):
        take_over(handed)


def test_a_column_that_moved_is_in_the_description(gated: Repository, dvc: str) -> None:
    assert kit(gated, "register").code == 0
    new_bills(gated, dvc, 900)
    file = gated.root / "bills.csv"
    file.write_text("\n".join(_ten_more(line) for line in file.read_text().splitlines()) + "\n")
    must([dvc, "add", "--quiet", "bills.csv"], gated.root)
    must(["git", "commit", "--quiet", "--all", "--message=Dearer bills"], gated.root)
    for words in ("train", "gate", "register"):
        done = kit(gated, words)
        assert done.code in (0, 10), done.said
    said = newest(gated).description
    assert (
        "- `train.csv`: 320 → 720 rows; columns that moved most:\n  - `bill`: mean 54.5 → 64.8 (+0.39 sd)"
        in said
    )


def _ten_more(line: str) -> str:
    key, bill, tip = line.split(",")
    return line if bill == "bill" else f"{key},{int(bill) + 10},{tip}"


def test_a_version_of_before_there_were_columns_is_read(gated: Repository) -> None:
    assert kit(gated, "register").code == 0
    content = newest(gated).model_dump()
    del content["tables"]
    assert record.parse(json.dumps(content), "it").tables == []


@pytest.mark.parametrize("leads_to", [".git/config", "../elsewhere"])
def test_metrics_are_written_through_no_link(leads_to: str, handed: tuple[Repository, Path]) -> None:
    """A link of the repository into `.git/config` would make a command of the metrics, which Git then runs."""
    clone, _ = handed
    before = (clone.root / ".git/config").read_text()
    (clone.root / "metrics.json").symlink_to(leads_to)
    with pytest.raises(KitError, match=r"metrics\.json, the metrics that mlops\.yaml names, is a link"):
        take_over(handed)
    assert (clone.root / ".git/config").read_text() == before
    assert not (clone.root / "../elsewhere").exists()


def test_metrics_are_written_into_no_folder_that_is_a_link(handed: tuple[Repository, Path]) -> None:
    clone, _ = handed
    (clone.root / "reports").symlink_to(".git")
    for path in ("reports/config", "../x", ".git/config", "/etc/x"):
        with pytest.raises(KitError, match="is a link or lies outside"):
            candidate._refuse_metrics_elsewhere(clone, means(clone).model_copy(update={"metrics": path}))
    ours = means(clone).model_copy(update={"metrics": "not/made/yet/metrics.json"})
    candidate._refuse_metrics_elsewhere(clone, ours)


def test_an_event_with_a_number_that_no_float_can_hold_is_left_out(handed: tuple[Repository, Path]) -> None:
    file = handed[1] / "events.jsonl"
    first = json.loads(file.read_text().splitlines()[0])
    with file.open("a") as stream:
        stream.write(json.dumps(first | {"seconds": 10**400}) + "\n")
    assert take_over(handed).outcome == "registered"
