"""The hand-over between two jobs: written atomically, read strictly, and of one run."""

import json
from pathlib import Path

import pytest
from mlops_kit.alerts import outcome
from mlops_kit.base.errors import KitError
from mlops_kit.monitoring import run as monitor
from mlops_kit.new_data import deliver
from mlops_kit.project import contract as contracts
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import candidate
from mlops_kit.reports.review import publish as review
from mlops_kit.reports.review.publish import ReviewFacts
from mlops_kit.runs import events
from mlops_kit.runs.handover import LARGEST, Handover
from mlops_kit.versions.gate_results import Verdict

from tests.kit.builders import a_record
from tests.kit.script_repository import Scripted

NAN = float("nan")


@pytest.fixture
def handed(tmp_path: Path) -> Handover:
    return Handover(tmp_path / "mlops-run", ("a.txt", "b.json"), "training", "Train again.")


def test_what_is_written_is_read(handed: Handover) -> None:
    handed.write({"a.txt": "é\n", "b.json": b"\xff"})
    assert handed.text("a.txt") == "é\n"
    assert handed.content("b.json") == b"\xff"
    assert sorted(path.name for path in handed.folder.iterdir()) == ["a.txt", "b.json"]


def test_files_of_an_earlier_run_go_and_those_of_others_stay(handed: Handover) -> None:
    handed.write({"a.txt": "first", "b.json": "first"})
    (handed.folder / "report.md").write_text("of the report")
    handed.write({"a.txt": "second"})
    assert handed.has("a.txt") and not handed.has("b.json")
    assert (handed.folder / "report.md").read_text() == "of the report"


def test_a_file_that_is_missing_or_no_text_is_named(handed: Handover) -> None:
    with pytest.raises(KitError, match=r"mlops-run holds no training: .*a\.txt.*\sTrain again\."):
        handed.text("a.txt")
    handed.write({"a.txt": b"\xff"})
    with pytest.raises(KitError, match=r"a\.txt is not UTF-8"):
        handed.text("a.txt")


def test_a_run_goes_on_in_the_next_job(tmp_path: Path, small: Scripted) -> None:
    first = events.alone(small.repository)
    first.emit("monitor", "fine")
    handed = monitor.handover(tmp_path / "left")
    handed.write({"run": first.run, "events.jsonl": first.file.read_bytes()})
    receiver = Repository(tmp_path / "receiver")
    journal = handed.journal(receiver, monitor.STAGES, monitor.FACTS)
    assert journal.run == first.run
    assert [event["stage"] for event in journal.events()] == ["run", "monitor"]


@pytest.mark.parametrize(
    ("run", "events_", "says"),
    [
        ("../../x", "", "which is not a run of this workflow run"),
        ("", "", "which is not a run of this workflow run"),
        ("7-1", '{"run": "8-1"}', "holds 1 events that are damaged, of another run than 7-1"),
        ("7-1", '{"run": ', "holds 1 events that are damaged"),
    ],
)
def test_events_of_another_run_are_refused(run: str, events_: str, says: str, tmp_path: Path) -> None:
    handed = monitor.handover(tmp_path / "left")
    handed.write({"run": run, "events.jsonl": events_})
    with pytest.raises(KitError, match=says):
        handed.journal(Repository(tmp_path / "receiver"), monitor.STAGES, monitor.FACTS)
    assert not (tmp_path / "receiver").exists()


def test_a_check_hands_over_the_events_of_one_check(tmp_path: Path, small: Scripted) -> None:
    """Several with drift would start a training."""
    first = events.alone(small.repository)
    for _ in range(2):
        first.emit("monitor", "alarm", kinds=["data-drift"], window="w")
    handed = monitor.handover(tmp_path / "left")
    handed.write({"run": first.run, "events.jsonl": first.file.read_bytes()})
    with pytest.raises(KitError, match="holds the events of more than one check"):
        monitor.take_over(Repository(tmp_path / "receiver"), tmp_path / "left")
    assert not (tmp_path / "receiver").exists()


# ---- what each room hands over is parsed strictly ----


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"result": "x"}, "result is not a known key (value 'x')"),
        ({"results": [{"name": "right"}]}, "results.0.kind is missing"),
        ({"results": "pass"}, "results is 'pass': Input should be"),
        ({"measured": {"size": {"bytes": NAN}}}, "measured is {'size': {'bytes': nan}}: nan is not a finite"),
        ({"against": 3}, "against is 3: Input should be a valid string"),
    ],
)
def test_a_verdict_that_was_altered(change: dict[str, object], says: str, small: Scripted) -> None:
    contract = contracts.load(small.root)
    handed = _with_verdict(small, contract)
    content = json.loads(handed.text(candidate.VERDICT))
    (handed.folder / candidate.VERDICT).write_text(json.dumps(content | change))
    with pytest.raises(KitError) as refused:
        candidate.read(small.repository, contract, handed, "7-1")
    assert f"mlops-run/gates.json is not a verdict of the gates: {says}" in refused.value.what


def _with_verdict(small: Scripted, contract: Contract) -> Handover:
    handed = candidate.handover(contract, small.root / "mlops-run")
    lock = "schema: '2.0'\nstages: {}\n"
    record = a_record(small.repository.commit()).text()
    verdict = Verdict(results=[]).text()
    handed.write({"record.json": record, "dvc.lock": lock, "metrics.json": "{}", "gates.json": verdict})
    return handed


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"pointers": {"a.dvc": 3}}, "pointers.a.dvc is 3: Input should be a valid string"),
        ({"pointer": {}}, "pointer is not a known key"),
        ({"looks": [{"pointer": "a", "status": "found"}]}, "looks.0.says is missing"),
        ({"looks": [{"pointer": "a", "status": "lost", "says": ""}]}, "looks.0.status is 'lost'"),
        ({"alarms": [{"name": "a", "title": "b", "text": "c"}]}, "alarms is not a known key"),
        ({"message": "Fixes #1"}, "message is not a known key"),
        ([], "the file is []"),
    ],
)
def test_new_data_that_was_altered(content: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "new-data.json"
    path.write_text(json.dumps(content))
    with pytest.raises(KitError) as refused:
        deliver.read_delivery(deliver.handover(path), path.name)
    assert f"new-data.json is not a hand-over of new data: {says}" in refused.value.what


OUTCOME = {"at": "2026-11-24", "version": "v1", "window": "w", "findings": [], "judged": []}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"judged": ["flood"]}, "no kind of alarm: flood"),
        ({"findings": [{"kind": "flood", "what": "x"}]}, "no kind of alarm: flood"),
        ({"findings": [{"kind": "schema"}]}, "findings.0.what is missing"),
        ({"findings": [{"kind": "schema", "what": "x", "url": 1}]}, "findings.0.url is not a known key"),
        ({"again": ["rm"]}, "again is ['rm']: Input should be a valid string"),
        ({"shown": {"schema": None}}, "shown.schema is None"),
        ({"more": 1}, "more is not a known key"),
    ],
)
def test_an_outcome_that_was_altered(change: dict[str, object], says: str, tmp_path: Path) -> None:
    path = tmp_path / "outcome.json"
    path.write_text(json.dumps(OUTCOME | change))
    with pytest.raises(KitError) as refused:
        outcome.read(path)
    assert "outcome.json is not what `mlops-kit monitor check` leaves: " in refused.value.what
    assert says in refused.value.what


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"week": "2026-47"}, "week is '2026-47': String should match pattern"),
        ({"is_empty": "no"}, "is_empty is 'no': Input should be a valid boolean"),
        ({"text": "x"}, "text is not a known key"),
    ],
)
def test_facts_of_a_review_that_were_altered(change: dict[str, object], says: str, tmp_path: Path) -> None:
    handed = review.handover(tmp_path)
    facts = json.loads(ReviewFacts(week="2026-W47", headline="x", is_empty=False).text())
    handed.write({review.FACTS: json.dumps(facts | change)})
    with pytest.raises(KitError) as refused:
        handed.payload(review.FACTS, ReviewFacts, "what `mlops-kit review` writes")
    assert f"review.json is not what `mlops-kit review` writes: {says}" in refused.value.what


@pytest.mark.parametrize(
    ("again", "command"),
    [
        ("MLOPS_NOW=2026-11-24T05:23:00Z mlops-kit monitor check --against v0.1.0", None),
        ("mlops-kit monitor check --window 'a b.parquet'", None),
        ("mlops-kit monitor check --window 'x; rm -rf ~'", None),  # quoted
        ("mlops-kit monitor check --window x; rm -rf ~", ""),
        ("mlops-kit monitor check --window $(curl evil)", ""),
        ("mlops-kit monitor check\n\n@octo", ""),
        ("mlops-kit promote v9", ""),
        ("MLOPS_NOW=$(x) mlops-kit monitor check", ""),
        ("mlops-kit monitor check --window 'x", ""),
        ("mlops-kit monitor check --window 'x\ny'", ""),
        ("", ""),
    ],
)
def test_the_command_of_an_issue_is_a_check_and_nothing_else(again: str, command: str | None) -> None:
    one = outcome.Outcome("2026-11-24", "v1", "w", [], [], again=again)
    assert one.command == (again if command is None else command)


@pytest.mark.parametrize("kind", ["link", "folder", "large"])
def test_what_is_no_file_of_a_reasonable_size_is_refused(kind: str, handed: Handover) -> None:
    handed.write({"a.txt": "x"})
    path = handed.folder / "b.json"
    if kind == "link":
        path.symlink_to("a.txt")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as stream:
            stream.truncate(LARGEST + 1)
    with pytest.raises(KitError, match=r"a link or a device|8,000,001 bytes"):
        handed.content("b.json")
