"""`monitor check` of a window: data drift, concept drift and infrastructure alarm separately; nothing connected is no alarm."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from tests.conftest import ROOT
from tests.kit.monitoring.log_repository import START, Check, log, table
from tests.kit.small_repository import Small, small


def test_calibrating_says_what_windows_will_show(made: Small) -> None:
    done = made.kit("monitor", "calibrate", "--json")
    assert done.code == 0, done.said
    found = json.loads(done.stdout)
    assert found["columns"] == ["x", "amount", "side"]
    assert found["visible"]["50"]["x"] > found["visible"]["1000"]["x"]
    assert any("season" in note for note in found["notes"])
    kept = list((made.root / ".mlops/monitoring").glob("*.npz"))
    assert len(kept) == 1


def test_like_the_reference_nothing_alarms_and_nothing_is_connected(
    made: Small, check: Check, tmp_path: Path
) -> None:
    parquet.write_table(pa.table(table(3, 500)), tmp_path / "clean.parquet")
    done, found = check(tmp_path / "clean.parquet")
    assert done.code == 0, done.said
    states = [found[one]["state"] for one in ("data", "concept", "infrastructure")]
    assert states == ["no drift", "not connected", "not connected"]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_drift_is_found_in_every_kind_of_file(suffix: str, check: Check, tmp_path: Path) -> None:
    moved = table(4, 600)
    moved["amount"] = moved["amount"] * 2
    path = tmp_path / f"moved.{suffix}"
    if suffix == "jsonl":
        log(path, moved)
    elif suffix == "csv":
        csv.write_csv(pa.table(moved), path)
    else:
        parquet.write_table(pa.table(moved), path)
    done, found = check(path)
    assert done.code == 10, done.said
    assert [(one["column"], one["n"]) for one in found["data"]["drifts"]] == [("amount", 600)]
    assert not found["data"]["changes"]


def test_a_pattern_and_an_address_name_more_than_one_file(check: Check, tmp_path: Path) -> None:
    for at in (1, 2):
        parquet.write_table(pa.table(table(10 + at, 300)), tmp_path / f"day-{at}.parquet")
    for where in (f"{tmp_path}/day-*.parquet", f"file://{tmp_path}/day-*.parquet", tmp_path):
        done, found = check(where)
        assert (done.code, found["data"]["n"]) == (0, 600), done.said


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seconds": 0.8}, "latency p95 is 0.8 s"),
        ({"time": "2026-01-01T00:00:00+00:00"}, "hours old"),
        ({"time": "2099-01-01T00:00:00+00:00"}, "in the future"),
        ({"prediction": None, "error": "out of memory"}, "300 of 300 predictions failed"),
    ],
)
def test_what_runs_badly_is_said(changed: dict[str, Any], words: str, check: Check, tmp_path: Path) -> None:
    log(tmp_path / "log.jsonl", table(9, 300), **changed)
    done, found = check(tmp_path / "log.jsonl")
    assert done.code == 10, done.said
    assert [words in one["what"] for one in found["infrastructure"]["alarms"]] == [True]
    assert found["data"]["state"] == "no drift"


@pytest.mark.parametrize(
    ("changed", "kind", "says"),
    [
        ({"seconds": 0.8}, "latency", ("latency p95 in seconds (bars), limit (line)", "line [0.5, 0.5")),
        (
            {"prediction": None, "error": "no"},
            "errors",
            ("share that failed (bars)", "bar [1, 1", "line [0.01"),
        ),
        ({"probability": 0.97}, "predictions-moved", ("`probability`: reference (bars), window", "bar [")),
    ],
)
def test_an_issue_draws_what_it_is_about(
    changed: dict[str, Any], kind: str, says: tuple[str, ...], made: Small, check: Check, tmp_path: Path
) -> None:
    log(tmp_path / "log.jsonl", table(9, 300), **changed)
    done, _ = check(tmp_path / "log.jsonl")
    assert done.code == 10, done.said
    outcome = json.loads((made.root / ".mlops/monitoring/outcome.json").read_text("utf-8"))
    assert outcome["shown"][kind].count("xychart-beta") == 1
    assert all(words in outcome["shown"][kind] for words in says), outcome["shown"][kind]


def test_calls_that_were_refused_are_errors_and_no_rows(check: Check, tmp_path: Path) -> None:
    log(tmp_path / "log.jsonl", table(9, 300))
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write((json.dumps({"time": START.isoformat(), "error": "a column is missing"}) + "\n") * 60)
    done, found = check(tmp_path / "log.jsonl")
    assert done.code == 10, done.said
    assert (found["data"]["state"], found["data"]["n"]) == ("no drift", 300)
    assert "60 of 360 predictions failed" in found["infrastructure"]["alarms"][0]["what"]


def test_a_call_that_was_refused_weighs_as_many_predictions_as_it_had_rows(
    check: Check, tmp_path: Path
) -> None:
    log(tmp_path / "log.jsonl", table(9, 300))
    line = {"time": START.isoformat(), "error": "a column is missing", "rows": 100}
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    done, found = check(tmp_path / "log.jsonl")
    assert done.code == 10, done.said
    assert "100 of 400 predictions failed" in found["infrastructure"]["alarms"][0]["what"]
    assert found["data"]["n"] == 300


def test_a_line_that_was_not_finished_is_counted(check: Check, tmp_path: Path) -> None:
    log(tmp_path / "log.jsonl", table(9, 300))
    with (tmp_path / "log.jsonl").open("a") as stream:
        stream.write('{"time": "2026-')
    done, found = check(tmp_path / "log.jsonl")
    assert done.code == 0, done.said
    assert (found["infrastructure"]["rows"], found["infrastructure"]["broken"]) == (300, 1)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.parquet", None, "is not there"),
        ("torn.parquet", b"PAR1 torn", "torn.parquet cannot be read"),
        ("notes.txt", b"hello", "ends in"),
        ("https://example.com/rows.parquet?signature=s3cret", None, "`curl -fLO ADDRESS`"),
        ("empty.csv", b"x,amount,side\n", "has no rows"),
    ],
)
def test_a_window_that_cannot_be_read_says_why(
    name: str, content: bytes | None, words: str, check: Check, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done, _ = check(name if "://" in name else tmp_path / name)
    assert done.code == 1
    assert words in done.said
    assert "Traceback" not in done.said


def test_a_check_that_failed_leaves_nothing_of_an_earlier_one_to_tell(
    made: Small, check: Check, tmp_path: Path
) -> None:
    moved = table(3, 1000)
    moved["x"] = moved["x"] + 1
    parquet.write_table(pa.table(moved), tmp_path / "moved.parquet")
    assert check(tmp_path / "moved.parquet")[0].code == 10
    assert check(tmp_path / "gone.parquet")[0].code == 1
    told = made.kit("alert", "--dry-run")
    assert told.code == 1
    assert "there was no check yet" in told.said


def test_without_rows_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    one = small(tmp_path / "bare")
    done = one.kit("monitor", "calibrate")
    assert done.code == 1
    assert "names no `rows`" in done.said


def test_the_flights_of_summer_are_not_those_of_winter(tmp_path: Path) -> None:
    """Each month moves, and says that the reference has no such season."""
    mlops = "model: flights\nmetrics: metrics.json\nrows: {test: flights.parquet, key: flight}\n"
    mlops += "monitoring: {time: scheduled, label: late}\n"
    one = small(tmp_path / "flights", **{"mlops.yaml": mlops})
    flights = parquet.read_table(ROOT / "template/[[ starter_data ]]/data/flights.parquet")
    parquet.write_table(flights, one.root / "flights.parquet")
    moved = {}
    for month in sorted((ROOT / "scaffold/mlops_new/batches").glob("*.parquet")):
        done = one.kit("monitor", "check", "--json", "--window", month)
        found = json.loads(done.stdout)["data"]
        assert any("no row of month" in note for note in found["notes"])
        moved[month.stem] = [drift["column"] for drift in found["drifts"]]
    assert {"temperature", "dew_point"} & set(moved["2013-07"])
    assert "carrier" not in moved["2013-04"]
