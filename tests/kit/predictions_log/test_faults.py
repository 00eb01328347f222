"""What comes wrong: torn files, the same rows twice, zones, masked columns, labels that are no labels."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlops_kit.base.progress import quiet
from mlops_kit.predictions_log import labels as label_tables
from mlops_kit.predictions_log import sources
from mlops_kit.predictions_log import window as windows
from mlops_kit.predictions_log.lines import WHEN, hashed, newest
from pyarrow import parquet

from tests.kit.monitoring.log_repository import START, Check, checked, log, repository, table
from tests.kit.small_repository import Small


def rewritten(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    lines = [change(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("left", [0.99, 0.5, 0.01])
def test_a_truncated_file_is_named(left: float, check: Check, tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    parquet.write_table(pa.table(table(3, 500)), whole)
    content = whole.read_bytes()
    (tmp_path / "torn.parquet").write_bytes(content[: int(len(content) * left)])
    done, _ = check(tmp_path / "torn.parquet")
    assert done.code == 1
    assert "torn.parquet cannot be read" in done.said
    assert "Traceback" not in done.said


def test_bytes_that_flipped_inside_are_named(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "flipped.parquet"
    parquet.write_table(pa.table(table(3, 500)), path, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[40:400] = bytes(360)
    path.write_bytes(content)
    done, _ = check(path)
    assert done.code == 1
    assert "flipped.parquet cannot be read" in done.said


def test_the_same_file_twice_counts_once(check: Check, tmp_path: Path) -> None:
    parquet.write_table(pa.table(table(3, 300)), tmp_path / "day-1.parquet")
    shutil.copy(tmp_path / "day-1.parquet", tmp_path / "day-2.parquet")
    done, found = check(tmp_path)
    assert done.code == 0, done.said
    assert found["data"]["n"] == 300
    assert "day-2.parquet holds what day-1.parquet holds and is left out" in found["data"]["notes"]


def test_the_same_rows_twice_are_said(check: Check, tmp_path: Path) -> None:
    rows = pa.table(table(3, 300))
    parquet.write_table(pa.concat_tables([rows, rows]), tmp_path / "twice.parquet")
    _, found = check(tmp_path / "twice.parquet")
    assert "300 of 600 keys occurred before: are rows here twice?" in found["data"]["notes"]


def test_a_key_of_an_earlier_week_does_not_occur_twice_in_the_window() -> None:
    first, second = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 8, tzinfo=UTC)
    facts = pa.table({"time": pa.array([first, second], WHEN), "key": [7, 7]})
    assert windows.repeated(windows.Window("log", facts=facts, since=first), "key") == []
    assert windows.repeated(windows.Window("log", facts=facts), "key") == [
        "1 of 2 keys occurred before: are rows here twice?"
    ]


def test_a_folder_of_logs_is_one_log(check: Check, tmp_path: Path) -> None:
    for day in (1, 2):
        log(tmp_path / f"2026-11-0{day}.jsonl", table(20 + day, 300))
    for where in (tmp_path, f"file://{tmp_path}/*.jsonl", f"file://{tmp_path}/"):
        done, found = check(where)
        assert done.code == 0, done.said
        assert (found["data"]["n"], found["infrastructure"]["rows"]) == (600, 600)


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("https://a.example/log.jsonl?X-Amz-Signature=c0ffee&x=1", "https://a.example/log.jsonl?***"),
        ("abfs://log@a.example/day.jsonl?sv=2024&sig=c0ffee/+", "abfs://log@a.example/day.jsonl?***"),
        ("s3://me:c0ffee@a.example/log/*.jsonl", "s3://***@a.example/log/*.jsonl"),
        ("s3://log/2026-11-0?.jsonl", "s3://log/2026-11-0?.jsonl"),
        ("log/?.jsonl", "log/?.jsonl"),
    ],
)
def test_what_signs_an_address_is_not_shown(where: str, shown: str) -> None:
    assert sources.shown(where) == shown


@pytest.mark.parametrize(
    "where", ["https://a.example/log.jsonl?sig=c0ffee", "file:///none/log.jsonl?sig=c0ffee"]
)
def test_what_signs_an_address_is_in_no_message(where: str, made: Small) -> None:
    done = made.kit("monitor", "check", "--window", where)
    assert done.code == 1, done.said
    assert "log.jsonl?***" in done.stderr
    kept = [file.read_text() for file in (made.root / ".mlops").rglob("*.jsonl")]
    assert "c0ffee" not in done.said + "".join(kept)


def test_a_masked_column_is_no_drift_and_no_missing_column(check: Check, tmp_path: Path) -> None:
    """Some lines are older than the setting."""
    path = tmp_path / "log.jsonl"
    log(path, table(9, 300))
    keys = table(9, 300)["id"][:100]

    def masked(line: dict[str, Any]) -> dict[str, Any]:
        if line["key"] in keys:
            return line
        line["inputs"].pop("amount")
        return line | {"masked": ["amount"]}

    rewritten(path, masked)
    done, found = check(path)
    assert done.code == 0, done.said
    assert (found["data"]["drifts"], found["data"]["changes"]) == ([], [])
    assert "masked in the log and not watched: amount" in found["data"]["notes"]
    rewritten(path, lambda line: line | {"masked": []})
    assert check(path)[0].code == 10


def test_zones_are_told_from_each_other(check: Check, tmp_path: Path) -> None:
    """The oldest by its text is the newest by its moment."""
    path = tmp_path / "log.jsonl"
    log(path, table(9, 300))
    newest = START + timedelta(seconds=299)

    def elsewhere(line: dict[str, Any]) -> dict[str, Any]:
        when = datetime.fromisoformat(line["time"])
        zone = timezone(timedelta(hours=-11 if when == newest else 9))
        return line | {"time": when.astimezone(zone).isoformat()}

    rewritten(path, elsewhere)
    done, found = check(path)
    assert done.code == 0, done.said
    assert datetime.fromisoformat(found["infrastructure"]["newest"]) == newest
    assert datetime.fromisoformat(found["concept"]["since"]) == START


def test_of_a_line_little_stays_in_memory_however_many_inputs_it_has(tmp_path: Path) -> None:
    """A log may be larger than memory: inputs are drawn, of a key its hash stays, and a text once for many lines."""
    line: dict[str, Any] = {
        "time": START.isoformat(),
        "version": "v0.1.0",
        "key": "6fa459ea-ee8a-3ca4-894e-db77e160355e",
        "process": "host-1",
    }
    line |= {"prediction": True, "inputs": {f"column_{at}": 0.123456789 for at in range(50)}}
    (tmp_path / "log.jsonl").write_text(f"{json.dumps(line | {'probability': 0.5})}\n" * 30_000 + "{torn")
    window = windows.read(str(tmp_path / "log.jsonl"), 1000, [])
    assert (window.rows, window.broken, len(window.drawn["column_0"])) == (30_000, 1, 1000)
    assert window.facts and window.facts.nbytes / len(window.facts) < 80


def test_of_a_label_twelve_bytes_stay_in_memory(tmp_path: Path) -> None:
    rows = [f"6fa459ea-ee8a-3ca4-894e-{at:012},{at % 2 == 0}\n" for at in range(30_000)]
    (tmp_path / "labels.csv").write_text("id,late\n" + "".join(rows))
    made = pa.table({"key": hashed(["6fa459ea-ee8a-3ca4-894e-000000000007", None, "another"])})
    every = pa.chunked_array([hashed(row.split(",")[0] for row in rows)])
    came, _ = label_tables.read(str(tmp_path / "labels.csv"), "id", "late", every, quiet)
    assert came and came.nbytes / len(came) < 16
    assert label_tables.joined(made, came)[0]["actual"].to_pylist() == ["False", None, None]


def test_an_input_that_is_called_time_is_not_the_lines(tmp_path: Path) -> None:
    line = {"inputs": {"time": "2031-01-01T00:00:00"}, "time": "2026-11-02T08:00:00"}
    (tmp_path / "log.jsonl").write_text(json.dumps(line) + "\n")
    until = datetime(2032, 1, 1, tzinfo=UTC)
    assert newest([tmp_path / "log.jsonl"], until) == datetime(2026, 11, 2, 8, tzinfo=UTC)


def test_memory_and_disk_are_read_from_the_log(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log(path, table(9, 600), process="41", disk_free_share=0.02)
    grown = iter(range(600))
    rewritten(path, lambda line: line | {"memory_mb": 500 + next(grown) / 10})
    done, found = check(path)
    assert done.code == 10
    kinds = [one["kind"] for one in found["infrastructure"]["alarms"]]
    assert kinds == ["memory", "disk"]


def test_labels_that_all_contradict_leave_nothing_known(check: Check, tmp_path: Path) -> None:
    rows = table(6, 300)
    log(tmp_path / "log.jsonl", rows)
    labels = pa.table({"id": rows["id"] * 2, "late": [*rows["late"], *~rows["late"]]})
    parquet.write_table(labels, tmp_path / "labels.parquet")
    done, found = check(tmp_path / "log.jsonl", "--labels", tmp_path / "labels.parquet")
    assert done.code == 0, done.said
    assert found["concept"]["state"] == "unknown"
    assert "300 keys have labels that contradict" in found["concept"]["notes"][0]


def test_labels_without_their_column_say_which(check: Check, tmp_path: Path) -> None:
    log(tmp_path / "log.jsonl", table(6, 300))
    parquet.write_table(pa.table({"id": ["a"], "delayed": [True]}), tmp_path / "labels.parquet")
    done, _ = check(tmp_path / "log.jsonl", "--labels", tmp_path / "labels.parquet")
    assert done.code == 1
    assert "have no column 'late'" in done.said


def test_a_reference_that_is_gone_says_how_to_get_it(tmp_path: Path) -> None:
    one = repository(tmp_path / "flights")
    (one.root / "train.parquet").unlink()
    done, _ = checked(one, "test.parquet")
    assert done.code == 1
    assert "train.parquet is not here" in done.said
    assert "mlops-kit train" in done.said


def test_a_reference_that_is_torn_is_named(tmp_path: Path) -> None:
    one = repository(tmp_path / "flights")
    (one.root / "train.parquet").write_bytes(b"PAR1 torn")
    done, _ = checked(one, "test.parquet")
    assert done.code == 1
    assert "train.parquet cannot be read" in done.said


def test_what_was_kept_of_a_reference_and_is_torn_is_made_again(tmp_path: Path) -> None:
    one = repository(tmp_path / "flights")
    assert checked(one, "test.parquet")[0].code == 0
    (kept,) = (one.root / ".mlops/monitoring").glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:1000])
    assert checked(one, "test.parquet")[0].code == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("torn.parquet", b"PAR1 and no more", "torn.parquet of the labels"),
        ("latin.csv", "id,late\nä,true\n".encode("latin-1"), "latin.csv of the labels"),
        ("semicolons.csv", b"id;late\na;true\n", "Columns are separated by commas here"),
    ],
)
def test_labels_that_cannot_be_read_are_named(
    name: str, content: bytes, says: str, check: Check, tmp_path: Path
) -> None:
    log(tmp_path / "log.jsonl", table(6, 300))
    (tmp_path / name).write_bytes(content)
    done, _ = check(tmp_path / "log.jsonl", "--labels", tmp_path / name)
    assert done.code == 1 and says in done.stderr


def test_an_empty_file_of_labels_is_none_yet(check: Check, tmp_path: Path) -> None:
    log(tmp_path / "log.jsonl", table(6, 300))
    (tmp_path / "labels.csv").touch()
    done, found = check(tmp_path / "log.jsonl", "--labels", tmp_path / "labels.csv")
    assert done.code == 0, done.said
    assert (found["concept"]["state"], found["concept"]["notes"]) == ("unknown", ["no label has come yet"])


def test_labels_of_one_class_have_no_curve(check: Check, tmp_path: Path) -> None:
    rows = table(6, 300)
    log(tmp_path / "log.jsonl", rows)
    parquet.write_table(pa.table({"id": rows["id"], "late": [True] * 300}), tmp_path / "labels.parquet")
    done, found = check(tmp_path / "log.jsonl", "--labels", tmp_path / "labels.parquet")
    assert "NaN" not in done.stdout and "Warning" not in done.stderr
    assert found["concept"]["figure"] is None
    assert "the labels of 300 rows have only one class, so there is no roc_auc" in found["concept"]["notes"]
    assert found["concept"]["happened"]["high"] == 1.0


def test_half_a_character_is_a_line_that_cannot_be_read(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    log(path, table(6, 300))
    line = json.loads(path.read_text().splitlines()[0])
    line["inputs"]["side"] = "\ud800"
    with path.open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    done, found = check(path)
    assert done.code == 0, done.said
    assert (found["infrastructure"]["rows"], found["infrastructure"]["broken"]) == (300, 1)


def test_a_window_of_semicolons_is_no_other_schema(check: Check, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id;x;amount;side\na;1;2;b\n")
    done, _ = check(tmp_path / "rows.csv")
    assert done.code == 1 and "rows.csv has one column, 'id;x;amount;side'." in done.stderr


def test_a_log_of_another_version_says_so(check: Check, tmp_path: Path) -> None:
    """Of a repository without a version there is no other one, so all predictions of it failed."""
    log(tmp_path / "log.jsonl", table(6, 300), error="away", prediction=None)
    _, found = check(tmp_path / "log.jsonl")
    assert found["concept"]["notes"] == ["the log has no prediction of the version in production"]


def test_labels_without_predictions_are_refused(check: Check, tmp_path: Path) -> None:
    done, _ = check("test.parquet", "--labels", tmp_path / "nowhere.csv")
    assert done.code == 1 and "Labels say nothing without predictions" in done.stderr


def test_a_log_of_which_no_line_is_one_says_how_many_there_were(check: Check, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("one\n[2]\n{\n")
    done, _ = check(tmp_path / "log.jsonl")
    assert done.code == 1 and "none of its 3 lines is a JSON object" in done.stderr
