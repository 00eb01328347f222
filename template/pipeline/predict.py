"""Predict a file of rows: `python -m pipeline.predict ROWS --out predictions.csv`.

ROWS is a CSV or Parquet file like the training data, or one of data/prepared; the target may be missing.
With --log each prediction is a line of JSON that `mlops-kit monitor check` reads; params.yaml says
which columns are masked there and how long a folder of logs keeps its files.
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

from pipeline import MODEL, params
from pipeline import schema as schemas
from pipeline.answer import without_target
from pipeline.checks import check
from pipeline.evaluate import keyed, predicted
from pipeline.read import count, read
from pipeline.schema import ROW, DataError, Schema
from pipeline.train import features, load


def predict(model_path: Path, rows: Path, schema: Schema) -> tuple[pl.DataFrame, list[str]]:
    """Keys and predictions, and what is unusual about the rows. Raises DataError for unusable rows."""
    wanted = without_target(schema)
    frame = read(rows, wanted, prepared=True)
    extra = [n for n in frame.columns if n not in schema.columns and n != ROW]
    frame = frame.select(n for n in frame.columns if n in wanted.columns or n == ROW)
    if problems := check(frame, wanted, values=False):
        raise DataError("\n".join(problems))
    values = predicted(load(model_path), features(frame, schema), schema)
    ignored = [f"column {name!r} is not in data/schema.yaml and is ignored" for name in extra]
    return keyed(frame, values, schema), ignored + check(frame, wanted)


def version(model_path: Path) -> dict[str, str]:
    """The model by its bytes: whoever has the file can tell."""
    return {"version": f"md5:{hashlib.md5(model_path.read_bytes()).hexdigest()}"}


def logged(
    rows: pl.DataFrame, table: pl.DataFrame, schema: Schema, facts: dict[str, Any]
) -> list[str]:
    """A line a row: its inputs, but for masked ones, and its prediction, as the predictions log has it."""
    masked = facts["masked"]
    if unknown := set(masked) - schema.features.keys():
        raise DataError(f"predictions_log.masked of params.yaml: no column {min(unknown)!r}")
    left_out = (schema.target, schema.key, *masked)
    asked = [name for name in rows.columns if name in schema.used and name not in left_out]
    shares = table.select(name for name in table.columns if name.startswith("probability"))
    made = table.drop(shares.columns).to_dicts()
    for at, one in enumerate(shares.to_dicts()):  # of a regression there is none
        classes = {name.removeprefix("probability."): share for name, share in one.items()}
        made[at] |= one if "probability" in one else {"probability": classes}
    inputs = ({name: row[name] for name in asked} for row in rows.to_dicts())
    pairs = zip(inputs, made, strict=True)
    return [json.dumps(facts | one | {"inputs": row}, default=str) for row, one in pairs]


def append(log: Path, lines: list[str], keep_days: int) -> None:
    """To a .jsonl file; in a folder to the day's, and deletes the files of days that are over."""
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
    wish = parser.parse_args()
    if wish.out.suffix not in (".csv", ".parquet") or not wish.out.parent.is_dir():
        parser.error(f"--out {wish.out}: not a .csv or .parquet file in a folder that is there")
    if wish.out.resolve() == wish.rows.resolve():
        parser.error(f"--out {wish.out} would overwrite the rows")
    start, lines, kept = time.monotonic(), [], params()["predictions_log"] if wish.log else {}
    facts: dict[str, Any] = {"time": datetime.now(UTC).isoformat(), "masked": kept.get("masked")}
    try:
        schema = schemas.load()
        table, unusual = predict(wish.model, wish.rows, schema)
        if wish.log:
            facts |= version(wish.model) | {"seconds": round(time.monotonic() - start, 6)}
            lines = logged(read(wish.rows, schema, prepared=True), table, schema, facts)
    except DataError as error:
        facts |= {"rows": count(wish.rows), "error": re.sub(r" \(row .*\)", "", str(error))}
        lines = [json.dumps(facts)]  # no values
        sys.exit(f"{wish.rows} is refused:\n{error}")
    finally:
        if wish.log:
            append(wish.log, lines, kept["keep_days"])
    for line in unusual:
        print(f"unlike the training data: {line}", file=sys.stderr)
    table.write_parquet(wish.out) if wish.out.suffix == ".parquet" else table.write_csv(wish.out)
    print(f"{len(table)} predictions in {wish.out}")


if __name__ == "__main__":
    main()
