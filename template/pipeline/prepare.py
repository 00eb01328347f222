"""Raw data -> checked, typed rows, split into train and test."""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipeline import PREPARED
from pipeline import params as read_params
from pipeline import schema as schemas
from pipeline.checks import check
from pipeline.rows import read
from pipeline.schema import ROW, DataError, Schema


def prepare(
    frame: pl.DataFrame, schema: Schema, params: dict[str, Any]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Train and test rows. Raises DataError when the data is not what the schema says."""
    if problems := check(frame, schema):
        raise DataError("\n".join(problems))
    frame = frame.filter(pl.col(schema.target).is_not_null())
    if schema.time:
        train, test = split_by_time(frame, schema.time, params["test_share"])
    else:
        train, test = split_by_draw(frame, params["test_share"], params["seed"])
    if train.is_empty() or test.is_empty():
        raise DataError(f"{len(train)} rows to train on and {len(test)} to test on are too few")
    if train[schema.target].n_unique() < 2:
        raise DataError(f"every row to train on has the same {schema.target!r}")
    return train, test


def split_by_time(
    frame: pl.DataFrame, time: str, share: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The newest rows are the test set; rows of one moment stay together, rows without are old."""
    cut = frame[time].quantile(1 - share, "higher")
    newest = pl.col(time).ge(cut).fill_null(False)
    return frame.filter(~newest), frame.filter(newest)


def split_by_draw(
    frame: pl.DataFrame, share: float, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A draw by the row's position, so that a row keeps its side when rows are appended."""
    drawn = np.random.default_rng(seed).random(int(frame[ROW].max() or 0) + 1) < share  # type: ignore
    test = pl.Series(drawn[frame[ROW].to_numpy()])
    return frame.filter(~test), frame.filter(test)


def main() -> None:
    params = read_params()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(params["data"]))
    path = parser.parse_args().data
    try:
        schema = schemas.load()
        train, test = prepare(read(path, schema), schema, params)
    except DataError as error:
        sys.exit(f"{path} is refused, nothing was trained:\n{error}")
    PREPARED.mkdir(parents=True, exist_ok=True)
    train.write_parquet(PREPARED / "train.parquet")
    test.write_parquet(PREPARED / "test.parquet")
    print(f"{len(train)} rows to train on, {len(test)} to test on")


if __name__ == "__main__":
    main()
