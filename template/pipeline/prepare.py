"""Read and check the raw data, and split it into rows for training and for testing."""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipeline import PREPARED, read_params
from pipeline import schema as schemas
from pipeline.checks import check
from pipeline.read import read
from pipeline.schema import ROW, DataError, Schema


def prepare(
    frame: pl.DataFrame, schema: Schema, params: dict[str, Any]
) -> tuple[pl.DataFrame, pl.Series]:
    """The rows that have a target, and True for those of them to test on.

    Raises DataError when the data is not what the schema says.
    """
    if problems := check(frame, schema):
        raise DataError("\n".join(problems))
    target = frame[schema.target]
    if target.null_count():
        frame = frame.filter(target.is_not_null())
    test = split(frame, schema, params)
    if test.all() or not test.any():
        raise DataError(f"{(~test).sum()} rows to train on and {test.sum()} to test on are too few")
    if frame[schema.target].filter(~test).n_unique() < 2:
        raise DataError(f"every row to train on has the same {schema.target!r}")
    if schema.task == "binary" and frame[schema.target].filter(test).n_unique() < 2:
        raise DataError(f"every row to test on has the same {schema.target!r}: nothing to judge by")
    return frame, test


def split(frame: pl.DataFrame, schema: Schema, params: dict[str, Any]) -> pl.Series:
    """True for the rows to test on."""
    share = params["test_share"]
    if not isinstance(share, float) or not 0 < share < 1:
        raise DataError(f"test_share of params.yaml is {share!r}: not a share between 0 and 1")
    if schema.time:
        return select_newest(frame[schema.time], share)
    return select_random(frame[ROW], share, params["seed"])


def select_newest(times: pl.Series, share: float) -> pl.Series:
    """True for the newest rows. Rows of one time stay together; rows without a time are old."""
    return (times >= times.quantile(1 - share, "higher")).fill_null(False)


def select_random(rows: pl.Series, share: float, seed: int) -> pl.Series:
    """True for a random sample of the positions, which rows appended later do not change."""
    positions = rows.to_numpy()
    draw = np.random.default_rng(seed).random(positions.max(initial=-1) + 1)
    return pl.Series(draw[positions] < share)


def main() -> None:
    params = read_params()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(params["data"]))
    path = parser.parse_args().data
    try:
        schema = schemas.load()
        frame, test = prepare(read(path, schema), schema, params)
    except DataError as error:
        sys.exit(f"{path} is refused, nothing was trained:\n{error}")
    PREPARED.mkdir(parents=True, exist_ok=True)  # one after the other: half the memory
    frame.filter(~test).write_parquet(PREPARED / "train.parquet")
    frame.filter(test).write_parquet(PREPARED / "test.parquet")
    print(f"{(~test).sum()} rows to train on, {test.sum()} to test on")


if __name__ == "__main__":
    main()
