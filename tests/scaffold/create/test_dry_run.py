"""`mlops-new NAME --dry-run`: what would be made, with nothing written."""

import json
import re
from pathlib import Path

import pytest

from tests.conftest import Done, must, run
from tests.scaffold.create.tables import Row, day, rows, written


def dry(mlops_new: Path, folder: Path, table: list[Row], *words: str) -> Done:
    """The command for these rows, in a folder that must have nothing but them afterwards."""
    (folder / "churn.csv").write_bytes(written(table))
    (folder / "tmp").mkdir(exist_ok=True)
    command = [mlops_new, "churn", "--data", "churn.csv", "--target", "y", "--dry-run", *words]
    done = run(command, folder, TMPDIR=str(folder / "tmp"))
    left = sorted(path.name for path in folder.rglob("*") if not path.match("uv-*.lock"))  # uv leaves its own
    assert left == ["churn.csv", "tmp"]
    return done


@pytest.mark.environment
def test_everything_that_was_inferred_is_printed_and_nothing_is_written(
    mlops_new: Path, tmp_path: Path
) -> None:
    table = [
        {"customer_id": f"C{at:04}", "seen": day(at), **row, "plan": "basic"}
        for at, row in enumerate(rows(600))
    ]
    done = dry(mlops_new, tmp_path, table, "--slice", "colour", "--remote", "s3://bucket/churn")
    assert done.code == 0, done.said
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    for expected in (
        ["task", "binary,", "predicts the probability of 'yes'"],
        ["target", "y"],
        ["time", "seen"],
        ["key", "customer_id"],
        ["slices", "colour"],
        ["DVC", "remote", "s3://bucket/churn"],
        ["x", "feature", "number"],
        ["colour", "feature", "category"],
        ["count", "feature", "integer"],
        ["plan", "left", "out  it has the same value in every row"],
    ):
        assert expected in lines, done.stdout
    assert re.search(
        r"^split +4\d\d rows to train, 1\d\d to test \(the newest rows by 'seen' test\)$",
        done.stdout,
        re.MULTILINE,
    )
    assert re.search(r"^sample +synthetic: ", done.stdout, re.MULTILINE)
    assert "Warning" not in done.stdout


@pytest.mark.environment
def test_the_same_for_programs_is_what_create_makes(mlops_new: Path, tmp_path: Path) -> None:
    report = json.loads(dry(mlops_new, tmp_path, rows(600), "--json").stdout)
    made = json.loads(must([mlops_new, "churn", "--data", "churn.csv", "--target", "y", "--json"], tmp_path))
    assert report["path"] == made["path"]
    assert report["notes"] == made["notes"]
    assert report["inferred"]["features"] == [
        {"name": "x", "type": "number"},
        {"name": "colour", "type": "category"},
        {"name": "count", "type": "integer"},
    ]
    assert report["inferred"]["split"]["by"] is None
    assert (report["inferred"]["warnings"], made["warnings"]) == ([], [])


@pytest.mark.environment
def test_what_create_refuses_is_refused(mlops_new: Path, tmp_path: Path) -> None:
    done = dry(mlops_new, tmp_path, [{"z" if key == "y" else key: row[key] for key in row} for row in rows()])
    assert done.code == 1
    assert "churn.csv has no column 'y' (--target)" in done.stderr


def test_the_starter_data_needs_no_environment(mlops_new: Path, tmp_path: Path) -> None:
    said = must([mlops_new, "flights", "--with", "serving", "--dry-run"], tmp_path, UV_OFFLINE="1")
    assert re.search(r"^data +the embedded flight data$", said, re.MULTILINE)
    assert re.search(r"^tiers +serving=seldon$", said, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []
