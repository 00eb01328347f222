"""A table's columns, summed up from Parquet and CSV alike, with nothing of a single row."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.data import profile
from mlops_kit.data.columns import Column, Table
from pyarrow import csv, parquet

from tests.conftest import ROOT

N = 4000
DRAW = np.random.default_rng(5)
DELAY = DRAW.normal(10, 4, N)
TABLE = pa.table(
    {
        "delay": pa.array(DELAY, mask=DRAW.random(N) < 0.25),
        "distance": DRAW.integers(100, 900, N),
        "carrier": [("UA", "B6", "AA", "UA")[i % 4] for i in range(N)],
        "late": [i % 5 == 0 for i in range(N)],
        "when": [datetime(2013, 1, 1 + i % 28, 5) for i in range(N)],
        "passenger": [f"Ada Nr. {i}" for i in range(N)],
        "nothing": pa.nulls(N, pa.string()),
    }
)


@pytest.fixture(params=["rows.parquet", "rows.csv", "rows.tsv"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path: Path = tmp_path / request.param
    if path.suffix == ".parquet":
        parquet.write_table(TABLE, path, row_group_size=700)
    else:
        csv.write_csv(TABLE, path, csv.WriteOptions(delimiter="\t" if path.suffix == ".tsv" else ","))
    return path


def summed(path: Path, *left_out: str) -> Table:
    table = profile.table(path, left_out)
    assert table
    return table


def column(path: Path, name: str) -> Column:
    return {column.name: column for column in summed(path).columns}[name]


def test_every_column_has_a_type_whatever_the_file_is(path: Path) -> None:
    table = summed(path)
    assert (table.rows, table.width) == (N, 7)
    types = {column.name: column.type for column in table.columns}
    assert types == {
        "delay": "number", "distance": "integer", "carrier": "text", "late": "boolean", "when": "time",
        "passenger": "text", "nothing": "empty",
    }  # fmt: skip
    assert column(path, "nothing").missing == 1.0


def test_numbers_are_those_that_numpy_says(path: Path) -> None:
    found = column(path, "delay")
    known = TABLE["delay"].drop_null().to_numpy()
    assert found.missing == pytest.approx(1 - len(known) / N)
    assert found.numbers
    assert found.numbers.mean == pytest.approx(known.mean(), rel=1e-6)
    assert found.numbers.sd == pytest.approx(known.std(), rel=1e-6)
    assert found.numbers.quantiles == pytest.approx(
        list(np.quantile(known, [0.05, 0.25, 0.5, 0.75, 0.95])), rel=1e-6
    )


def test_categories_have_shares_and_text_about_people_only_lengths(path: Path) -> None:
    carrier, late, passenger = (column(path, name) for name in ("carrier", "late", "passenger"))
    assert carrier.values
    assert carrier.values.shares == {"UA": 0.5, "AA": 0.25, "B6": 0.25}
    assert late.values
    assert late.values.shares == {"false": 0.8, "true": 0.2}
    assert passenger.values is None
    assert passenger.lengths
    assert passenger.lengths.distinct == N
    assert "Ada" not in summed(path).model_dump_json()


def test_a_value_of_a_few_rows_is_not_named(tmp_path: Path) -> None:
    values = ["usual"] * 495 + ["Ada"] * 5
    parquet.write_table(pa.table({"who": values}), tmp_path / "rows.parquet")
    found = column(tmp_path / "rows.parquet", "who")
    assert found.values
    assert (found.values.distinct, found.values.shares) == (2, {"usual": 0.99})


def test_a_key_is_left_out(path: Path) -> None:
    table = summed(path, "passenger")
    assert "passenger" not in [column.name for column in table.columns]
    assert table.width == 6


def test_many_numbers_have_the_same_quantiles_each_time_and_nearly_the_true_ones(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=300_000)
    parquet.write_table(pa.table({"x": values}), tmp_path / "rows.parquet")
    first, second = (column(tmp_path / "rows.parquet", "x") for _ in range(2))
    assert first == second
    assert first.numbers
    assert first.numbers.quantiles == pytest.approx(
        np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]), abs=0.02
    )


def test_files_of_a_folder_are_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "batches"
    folder.mkdir()
    parquet.write_table(pa.table({"x": [1, 2], "y": ["a", "b"]}), folder / "1.parquet")
    (folder / "2.csv").write_text("x,z\n3.5,1\n\n4,2\n")
    (folder / "README.txt").write_text("not, rows\n")
    table = summed(folder)
    assert table.rows == 4
    found = {column.name: column for column in table.columns}
    assert found["x"].type == "number"
    assert found["x"].numbers
    assert found["x"].numbers.mean == pytest.approx(2.625)
    assert found["z"].missing == 0.5


def test_a_csv_column_is_what_all_its_rows_are_not_its_first_ones(tmp_path: Path) -> None:
    lines = [f"{i},{i},2013-01-01 05:00" for i in range(60_000)] + ["x,1.5,never"]
    (tmp_path / "rows.csv").write_text("\n".join(["code,amount,when", *lines]) + "\n")
    types = {column.name: column.type for column in summed(tmp_path / "rows.csv").columns}
    assert types == {"code": "text", "amount": "number", "when": "text"}


def test_infinity_and_nan_are_missing(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": [1.0, float("inf"), float("nan"), None]}), tmp_path / "rows.parquet")
    found = column(tmp_path / "rows.parquet", "x")
    assert found.missing == 0.75
    assert found.numbers
    assert found.numbers.mean == 1.0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", b"a,b\n1,2\n1,2,3\n"),
        ("rows.csv", b""),
        ("rows.csv", b"Ada,1.5\nGrace,2.5\n"),  # without names, which would be the first row
        ("rows.csv", "name\nJosé\n".encode("latin-1")),
        ("rows.parquet", b"PAR1 not really"),
        ("rows.txt", b"Dear Ada,\nhow are you?\n"),
    ],
)
def test_what_is_no_table_says_nothing(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert profile.table(tmp_path / name) is None
    assert profile.table(tmp_path / "not-there.csv") is None


def test_a_wide_table_is_summed_up_as_far_as_it_is_told(tmp_path: Path) -> None:
    parquet.write_table(pa.table({f"x{i}": [1] for i in range(400)}), tmp_path / "rows.parquet")
    table = summed(tmp_path / "rows.parquet")
    assert (table.width, len(table.columns)) == (400, 300)


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv"])
def test_memory_does_not_grow_with_the_rows(name: str, tmp_path: Path) -> None:
    chunk = pa.table({f"x{i}": DRAW.normal(size=100_000) for i in range(10)})
    few, many = (_peak([chunk] * chunks, tmp_path / f"{chunks}-{name}") for chunks in (3, 9))
    assert many < 1.5 * few  # three times as many rows


def _peak(chunks: list[pa.Table], path: Path) -> int:
    """Bytes that Arrow held at most."""
    writer = csv.CSVWriter if path.suffix == ".csv" else parquet.ParquetWriter
    with writer(path, chunks[0].schema) as opened:
        for chunk in chunks:
            opened.write_table(chunk)
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'actions')!r})\n"
        "from pathlib import Path\nimport pyarrow\nfrom mlops_kit.data import profile\n"
        f"assert profile.table(Path({str(path)!r})).rows == {len(chunks) * len(chunks[0])}\n"
        "print(pyarrow.default_memory_pool().max_memory())\n"
    )
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
