"""Nothing new is an answer that resets the clock; rows that get old are one alarm."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlops_kit.base.errors import KitError
from mlops_kit.data import newest_row
from mlops_kit.doctor import data as checkup
from mlops_kit.doctor.diagnosis import Patient, Unknown
from mlops_kit.new_data import age
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.registry import register
from mlops_kit.runs import events, log
from mlops_kit.runs.events import Journal
from mlops_kit.versions import records
from pyarrow import parquet

from tests.conftest import must
from tests.kit.builders import a_repository
from tests.kit.small_repository import github
from tests.kit.tips import change, clone_of, kit, means
from tests.kit.training.test_train import silent

TODAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def flights(tmp_path: Path) -> Repository:
    return a_repository(tmp_path / "flights")


def contract(**more: Any) -> Contract:
    wanted = {"column": "when", "at_most_days": 30}
    facts = {"model": "flights", "metrics": "metrics.json", "new_data": {"newest_row": wanted}} | more
    return Contract.model_validate(facts)


MOMENTS = {
    "time": pa.array([datetime(2026, 1, 5, 7), datetime(2026, 1, 2), None]),
    "day": pa.array([date(2026, 1, 5), None]),
    "text": pa.array(["2026-01-05 07:00:00", "2026-01-02 07:00:00"]),
    "zone": pa.array([datetime(2026, 1, 5, 8, tzinfo=timezone(timedelta(hours=1)))]),
}


@pytest.mark.parametrize("kind", MOMENTS)
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_the_newest_row_is_found_however_times_are_written(kind: str, suffix: str, tmp_path: Path) -> None:
    table = pa.table({"other": [1] * len(MOMENTS[kind]), "when": MOMENTS[kind]})
    path = tmp_path / f"rows{suffix}"
    if suffix == ".csv":
        lines = ["" if one is None else str(one) for one in table["when"].to_pylist()]
        path.write_text("other,when\n" + "".join(f"1,{line}\n" for line in lines))
    else:
        parquet.write_table(table, path)
    found = newest_row.latest(path, "when")
    assert found == datetime(2026, 1, 5, 0 if kind == "day" else 7, tzinfo=UTC)


def test_the_rows_to_test_on_count_too(flights: Repository) -> None:
    for name, day in (("train", 3), ("test", 9)):
        parquet.write_table(pa.table({"when": [datetime(2026, 1, day)]}), flights.root / f"{name}.parquet")
    means = contract(rows={"test": "test.parquet", "train": "train.parquet"})
    assert newest_row.newest(flights, means) == "2026-01-09T00:00:00Z"
    assert newest_row.newest(flights, contract(new_data={})) is None
    (flights.root / "test.parquet").unlink()
    (flights.root / "train.parquet").unlink()
    assert newest_row.newest(flights, means) is None  # not here, as where nothing changed


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pa.array([1, 2]), r"holds no times: it holds numbers \(int64\)"),
        (pa.array(["soon"]), "holds no times: "),
    ],
)
def test_a_column_without_times_is_refused(column: pa.Array, says: str, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"when": column}), tmp_path / "rows.parquet")
    with pytest.raises(KitError, match=says):
        newest_row.latest(tmp_path / "rows.parquet", "when")


def test_a_column_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"day": [1], "hour": [2]}), tmp_path / "rows.parquet")
    with pytest.raises(KitError, match="has no column 'when'") as refused:
        newest_row.latest(tmp_path / "rows.parquet", "when")
    assert refused.value.do == "Its columns: day, hour."


def test_one_alarm_is_raised_updated_and_closed(flights: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, journal = github(monkeypatch), Journal(flights, "a")

    def told(*known: str | None) -> str:
        return age.update_alarm(flights, contract(), age.age(contract(), list(known), TODAY), journal)

    assert told("2026-01-30T12:00:00Z") == ""  # exactly 30 days
    assert "of 2026-01-29 (`when`), 31 days ago; mlops.yaml allows 30." in told("2026-01-29T11:00:00Z", None)
    assert "40 days ago" in told("2026-01-20T11:00:00Z")
    ((title, text),) = hub.open.values()
    assert title == "The data is old: no newer rows come"
    assert "40 days ago" in text
    assert told("2026-01-20T11:00:00Z", "2026-02-28T00:00:00Z").startswith("cleared: ")
    assert hub.open == {}
    said = [(event["status"], event["days"]) for event in journal.events()]
    assert said == [("ok", 30), ("old", 31), ("old", 40), ("ok", 1)]


def test_what_nobody_asked_for_is_no_alarm(flights: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, journal = github(monkeypatch), Journal(flights, "a")
    quiet = contract(new_data={})
    assert age.update_alarm(flights, quiet, age.age(quiet, ["2000-01-01T00:00:00Z"]), journal) == ""
    assert "not known yet" in age.update_alarm(flights, contract(), age.age(contract(), [None]), journal)
    assert hub.open == {}


# ---- the clock ----


def cadence_of(repository: Repository, later: timedelta = timedelta(0)) -> str:
    patient = Patient(repository, means(repository), None, None, "", datetime.now(UTC) + later)
    return checkup.cadence(patient).status


def test_the_clock_is_set_by_a_version_and_by_finding_nothing_to_learn(gated: Repository) -> None:
    with pytest.raises(Unknown):
        cadence_of(gated)
    register.local(gated, means(gated), "minor", silent)
    first = age.clock(gated)
    assert first
    assert cadence_of(gated) == "ok"
    assert cadence_of(gated, timedelta(days=8)) == "warn"
    events.begin(gated)
    assert age.clock(gated) == first  # a run that ended without a word resets nothing
    for words in ("train", "gate"):
        assert kit(gated, words).code == 0
    assert register.local(gated, means(gated), "minor", silent).outcome == "identical"
    again = age.clock(gated)
    assert again
    assert again > first


def test_without_a_second_job_old_rows_are_reported_too(
    gated: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an orchestrator does it: one machine trains and registers."""
    hub = github(monkeypatch)
    change(gated, "mlops.yaml", "sample:", "new_data: {newest_row: {column: key, at_most_days: 2}}\nsample:")
    monkeypatch.setattr(newest_row, "latest", lambda path, column: datetime(2026, 1, 1, tzinfo=UTC))
    for outcome in ("registered", "identical"):
        for words in ("train", "gate"):
            assert kit(gated, words).code == 0
        said: list[str] = []
        assert register.local(gated, means(gated), "minor", said.append).outcome == outcome
        assert "of 2026-01-01 (`key`)" in said[-1]
    assert len(hub.open) == 1


def test_the_schedule_reports_old_rows_of_the_version_in_use(
    gated: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bills get a day, the first run makes a version, and the second one finds nothing to learn."""
    hub = github(monkeypatch)
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    change(gated, "mlops.yaml", "sample:", "new_data: {newest_row: {column: key, at_most_days: 2}}\nsample:")
    must(["git", "push", "--quiet"], gated.root)
    monkeypatch.setattr(newest_row, "latest", lambda path, column: datetime(2026, 1, 1, tzinfo=UTC))
    for attempt in ("1", "2"):
        monkeypatch.setenv("GITHUB_RUN_ATTEMPT", attempt)
        for words in ("train", "gate"):
            done = kit(gated, words)
            assert done.code == 0, done.said
        register.hand_over(gated, means(gated), silent)
        clone = clone_of(gated, f"runner{attempt}", "--depth=1")
        (gated.root / "mlops-run").rename(clone.root / "mlops-run")
        said: list[str] = []
        done_ = register.receive(clone, means(clone), clone.root / "mlops-run", "minor", said.append)
        assert done_.version == "v0.1.0"
        assert any("of 2026-01-01 (`key`)" in line for line in said)
    assert len(hub.open) == 1
    newest = records.newest(clone, "tips")
    assert newest
    assert newest.newest_row == "2026-01-01T00:00:00Z"
    found, _ = log.find(clone, log.Filter(stage="newest-row", status="old"))
    assert len(found) == 2
