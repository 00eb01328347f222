"""Predict a file of rows: `python -m pipeline.predict ROWS --out predictions.csv`.

ROWS is a CSV or Parquet file like the training data, or one of data/prepared; the target may be missing.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import joblib
import polars as pl

from pipeline import MODEL
from pipeline import schema as schemas
from pipeline.checks import check
from pipeline.evaluate import keyed, predicted
from pipeline.rows import read
from pipeline.schema import DataError, Schema
from pipeline.train import features


def without_target(schema: Schema) -> Schema:
    """What rows to predict look like: without the target and what the model does not use, repeated
    as often as they like.
    """
    used = {
        name: column for name, column in schema.columns.items() if column.use in ("feature", "key")
    }
    return replace(schema, columns=used, duplicates=1.0)


def predict(model_path: Path, rows: Path, schema: Schema) -> tuple[pl.DataFrame, list[str]]:
    """Keys and predictions, and what is unusual about the rows. Raises DataError for unusable rows."""
    wanted = without_target(schema)
    frame = read(rows, wanted, prepared=True)
    frame = frame.drop(schema.columns.keys() - wanted.columns.keys(), strict=False)
    if problems := check(frame, wanted, values=False):
        raise DataError("\n".join(problems))
    if not model_path.is_file():
        raise DataError(f"{model_path} is not there: `uv run dvc repro` trains it")
    values = predicted(joblib.load(model_path), features(frame, schema), schema)
    return keyed(frame, values, schema), check(frame, wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--out", type=Path, default="predictions.csv", help=".csv or .parquet")
    parser.add_argument("--model", type=Path, default=MODEL / "model.joblib")
    wish = parser.parse_args()
    try:
        table, unusual = predict(wish.model, wish.rows, schemas.load())
    except DataError as error:
        sys.exit(f"{wish.rows} is refused:\n{error}")
    for line in unusual:
        print(f"unlike the training data: {line}", file=sys.stderr)
    table.write_parquet(wish.out) if wish.out.suffix == ".parquet" else table.write_csv(wish.out)
    print(f"{len(table)} predictions in {wish.out}")


if __name__ == "__main__":
    main()
