"""The reference that windows are compared with."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from mlops_kit.monitoring import reference as references
from mlops_kit.project import contract
from pyarrow import parquet

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
