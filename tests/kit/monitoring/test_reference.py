"""The reference that windows are compared with."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from mlops_kit.monitoring import reference as references
from mlops_kit.project import contract
from pyarrow import csv, parquet

from tests.kit.monitoring import log_repository


def test_evaluated_predictions_are_put_in_the_order_of_time(tmp_path: Path) -> None:
    one = log_repository.repository(tmp_path / "flights")
    one.write("mlops.yaml", log_repository.MLOPS.replace("monitoring: {", "monitoring: {time: when, "))
    start = np.datetime64("2026-01-01T00:00:00", "s")
    for name, n in (("train", 4000), ("test", 1000)):
        shuffled = np.random.default_rng(1).permutation(n)
        file = one.root / f"{name}.parquet"
        when = start + shuffled.astype("timedelta64[m]")
        parquet.write_table(parquet.read_table(file).append_column("when", pa.array(when)), file)
    made = references.load(one.repository, contract.load(one.root), lambda _: None)
    assert made.predictions
    in_time = parquet.read_table(one.root / "test.parquet").sort_by("when")["id"].to_pylist()
    assert made.predictions["key"].to_pylist() == in_time
    again = references.load(one.repository, contract.load(one.root), lambda _: None)  # as it was kept
    assert again.predictions and again.predictions.equals(made.predictions)


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_a_csv_reference_sees_a_shift_and_nothing_where_there_is_none(tmp_path: Path, form: str) -> None:
    """Numbers, booleans, times and codes of a CSV file have the types that the same rows have elsewhere."""
    one = log_repository.repository(tmp_path / "flights")
    one.edit("mlops.yaml", "train.parquet, test: test.parquet", "train.csv, test: test.csv")
    start = np.datetime64("2026-01-01T00:00:00", "s")
    for name, n in (("train", 4000), ("test", 1000)):
        rows = parquet.read_table(one.root / f"{name}.parquet")
        draw = np.random.default_rng(n)
        rows = rows.append_column(
            "when", pa.array(start + draw.integers(0, 10**6, n).astype("timedelta64[s]"))
        )
        rows = rows.append_column("code", pa.array([f"{value:03}" for value in draw.integers(0, 9, n)]))
        rows = rows.append_column("flag", pa.array(draw.random(n) < 0.3))
        parquet.write_table(rows, one.root / f"{name}.parquet")
        csv.write_csv(rows, one.root / f"{name}.csv")
    made = references.load(one.repository, contract.load(one.root), lambda _: None)
    kinds = {bins.name: bins.kind for bins in made.bins}
    assert kinds == {
        "x": "number",
        "amount": "number",
        "side": "category",
        "when": "time",
        "code": "number",
        "flag": "boolean",
    }
    rows = parquet.read_table(one.root / "test.parquet")
    for shift, kinds_found in ((0.0, set()), (3.0, {"data-drift"})):
        moved = rows.set_column(rows.column_names.index("x"), "x", pa.array(rows["x"].to_numpy() + shift))
        window = one.root / f"window-{shift}.{form}"
        if form == "jsonl":
            lines = [
                json.dumps({"time": "2026-01-01T00:00:00Z", "key": row.pop("id"), "inputs": row}, default=str)
                for row in moved.drop_columns(["late"]).to_pylist()
            ]
            window.write_text("\n".join(lines) + "\n")
        else:
            (parquet.write_table if form == "parquet" else csv.write_csv)(moved, window)
        done, found = log_repository.checked(one, window.name)
        kinds_here = {one["kind"] for one in found["findings"]} - {"silence"}  # the lines are old
        assert kinds_here == kinds_found, done.said
