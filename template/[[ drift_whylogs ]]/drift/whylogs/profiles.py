"""Profiles of tables: counts, quantiles and frequent values of each column, which add up without their rows."""

import math
import os
import sys
from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Any

os.environ["WHYLOGS_NO_ANALYTICS"] = (
    "true"  # read by its import, which else reports to a service that is gone
)

LISTED = 768  # frequent values that a sketch counts exactly


def profile(rows: Path, at: str, **told: str) -> Any:
    """Of a Parquet file, in pieces. `told` stands in the profile's metadata."""
    from pyarrow import parquet
    from whylogs.core import DatasetProfile

    made = DatasetProfile(dataset_timestamp=datetime.fromisoformat(at), metadata=told)
    with parquet.ParquetFile(rows) as file:
        for batch in file.iter_batches():
            made.track(batch.to_pandas())
    return made.view()


def write(made: Any, file: Path) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_bytes(made.serialize())
    new.replace(file)


def read(file: Path) -> Any:
    from whylogs.core import DatasetProfileView
    from whylogs.core.errors import DeserializationError

    try:
        return DatasetProfileView.deserialize(file.read_bytes())
    except (OSError, DeserializationError, ValueError) as error:
        sys.exit(f"{file} is no profile that can be read: {error}")


def merged(parts: Iterable[Any]) -> Any:
    return reduce(lambda one, other: one.merge(other), parts)


def rows(made: Any) -> int:
    """Of the column that has most, missing values included."""
    return max((count(made, name) for name in made.get_columns()), default=0)


def count(made: Any, column: str) -> int:
    return int(made.get_column(column).get_metric("counts").n.value)


def distances(now: Any, before: Any) -> dict[str, dict[str, Any]]:
    """Of the columns that both have and that hold a value in both."""
    names = [name for name in before.get_columns() if name in now.get_columns()]
    found = {name: _distance(now.get_column(name), before.get_column(name)) for name in names}
    return {name: one for name, one in found.items() if one}


def _distance(now: Any, before: Any) -> dict[str, Any] | None:
    from whylogs.viz.drift.column_drift_algorithms import KS

    parts = [one.get_metric("distribution").kll.value for one in (now, before)]
    if not any(part.is_empty() for part in parts):
        found = KS().calculate(now, before, with_thresholds=False)
        unsure = sum(part.normalized_rank_error(False) for part in parts)
        return {"distance": "step", "score": float(found.statistic), "unsure_by": unsure}
    if not all(_levels(one) for one in (now, before)):
        return None
    return {
        "distance": "hellinger",
        "score": _hellinger(_levels(now), _levels(before)),
        "unsure_by": 0.0,
    }


def _levels(column: Any) -> dict[str, float]:
    """Share of each value. Of more values than a sketch lists the rarest are left out."""
    metric = column.get_metric("frequent_items")
    counts = {item.value: float(item.est) for item in (metric.strings if metric else [])[:LISTED]}
    return {value: found / sum(counts.values()) for value, found in counts.items()}


def _hellinger(now: dict[str, float], before: dict[str, float]) -> float:
    """whylogs has it for numbers; its chi-square calls drift every value that the reference does not hold."""
    alike = sum(math.sqrt(share * before.get(value, 0.0)) for value, share in now.items())
    return math.sqrt(max(1 - alike, 0.0))
