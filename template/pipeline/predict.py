"""Predict a file of rows: `python -m pipeline.predict ROWS --out predictions.csv`.

ROWS is a CSV or Parquet file like the training data, or one of data/prepared; the target may be missing.
With --log each prediction is a line of JSON for `mlops-kit monitor check`; see params.yaml.
"""

import argparse
import hashlib
import json
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import MODEL, read_params
from pipeline import schema as schemas
from pipeline.answer import drop_target
from pipeline.checks import check
from pipeline.evaluate import add_keys, compute_predictions
from pipeline.read import count_rows, read
from pipeline.schema import ROW, DataError, Schema
from pipeline.train import load_model, make_features


def predict(model_path: Path, rows: Path, schema: Schema) -> tuple[pl.DataFrame, list[str]]:
    """Predictions with keys, and how the rows differ from the training data. Raises DataError."""
    wanted = drop_target(schema)
    frame = read(rows, wanted, prepared=True)
    extra = [n for n in frame.columns if n not in schema.columns and n != ROW]
    frame = frame.select(n for n in frame.columns if n in wanted.columns or n == ROW)
    if problems := check(frame, wanted, values=False):
        raise DataError("\n".join(problems))
    values = compute_predictions(load_model(model_path), make_features(frame, schema), schema)
    ignored = [f"column {name!r} is not in data/schema.yaml and is ignored" for name in extra]
    return add_keys(frame, values, schema), ignored + check(frame, wanted)


def identify_model(model_path: Path) -> dict[str, str]:
    """The version of the model for the log: the hash of its file."""
    return {"version": f"md5:{hashlib.md5(model_path.read_bytes()).hexdigest()}"}


def make_log_lines(
    rows: pl.DataFrame, table: pl.DataFrame, schema: Schema, facts: dict[str, Any]
) -> list[str]:
    """A line of the log for each row: its inputs without masked columns, and its prediction."""
    masked = facts["masked"]
    if unknown := set(masked) - schema.features.keys():
        raise DataError(f"predictions_log.masked of params.yaml: no column {min(unknown)!r}")
    left_out = (schema.target, schema.key, *masked)
    asked = [name for name in rows.columns if name in schema.used and name not in left_out]
    shares = table.select(name for name in table.columns if name.startswith("probability"))
    predictions = table.drop(shares.columns).to_dicts()
    for at, one in enumerate(shares.to_dicts()):  # of a regression there is none
        classes = {name.removeprefix("probability."): share for name, share in one.items()}
        predictions[at] |= one if "probability" in one else {"probability": classes}
    inputs = ({name: row[name] for name in asked} for row in rows.to_dicts())
    pairs = zip(inputs, predictions, strict=True)
    return [json.dumps(facts | one | {"inputs": row}, default=str) for row, one in pairs]


def append_lines(log: Path, lines: list[str], keep_days: int) -> None:
    """Append to a .jsonl file. In a folder, append to the file of the day and delete old ones."""
    if log.suffix != ".jsonl":
        log.mkdir(parents=True, exist_ok=True)
        today = datetime.now(UTC).date()
        for file in log.glob("????-??-??.jsonl"):
            if file.stem < str(today - timedelta(days=keep_days)):
                file.unlink()
        log /= f"{today}.jsonl"
    with log.open("a", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--out", type=Path, default="predictions.csv", help=".csv or .parquet")
    parser.add_argument("--model", type=Path, default=MODEL / "model.joblib")
    parser.add_argument("--log", type=Path, help="append to this .jsonl file or folder of such")
    arguments = parser.parse_args()
    if arguments.out.suffix not in (".csv", ".parquet") or not arguments.out.parent.is_dir():
        parser.error(f"--out {arguments.out}: not a .csv or .parquet file in an existing folder")
    if arguments.out.resolve() == arguments.rows.resolve():
        parser.error(f"--out {arguments.out} would overwrite the rows")
    start = time.monotonic()
    settings = read_params()["predictions_log"] if arguments.log else {}
    lines: list[str] = []
    now = datetime.now(UTC).isoformat()
    facts: dict[str, Any] = {"time": now, "masked": settings.get("masked")}
    try:
        schema = schemas.load()
        table, unusual = predict(arguments.model, arguments.rows, schema)
        if arguments.log:
            seconds = round(time.monotonic() - start, 6)
            facts |= identify_model(arguments.model) | {"seconds": seconds}
            rows = read(arguments.rows, schema, prepared=True)
            lines = make_log_lines(rows, table, schema, facts)
    except DataError as error:
        words = re.sub(r" \(row .*\)", "", str(error))  # values such as " (row 3: -1)" stay out
        lines = [json.dumps(facts | {"rows": count_rows(arguments.rows), "error": words})]
        sys.exit(f"{arguments.rows} is refused:\n{error}")
    finally:
        if arguments.log:
            append_lines(arguments.log, lines, settings["keep_days"])
    for line in unusual:
        print(f"unlike the training data: {line}", file=sys.stderr)
    if arguments.out.suffix == ".parquet":
        table.write_parquet(arguments.out)
    else:
        table.write_csv(arguments.out)
    print(f"{len(table)} predictions in {arguments.out}")


if __name__ == "__main__":
    main()
