"""Read a data file, and write data/schema.yaml and data/sample.csv for it.

This program imports the `pipeline` of the generated repository, so that it infers what the pipeline will read and check.
stdout: one JSON object with `answers` for the template, and `notes` and `overview` for the person. Exit 1: the file is
refused; stderr says why.
"""

import difflib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import columns
import dialect
import outputs
import polars as pl
import pyarrow as pa
import size
import targets
import time_column
from pipeline import read_params
from pipeline.leaks import gives_away
from pipeline.prepare import prepare
from pipeline.read import read, read_untyped
from pipeline.schema import ROW, Column, DataError, Schema, find_contradictions
from refusal import DataRefused

LONGEST_NAME = 500
UNUSUAL = 0.1  # difference between the share of test rows that params.yaml asks for and what the times allow
JUDGED_ROWS = 100  # of a slice, from which on its figure is more than noise; `min_rows` of a gate
SAMPLES = {  # what is said of each kind: its rows, and those of the data
    "synthetic": "data/sample.csv has {} synthetic rows, made from data/schema.yaml, and is committed to Git",
    "rows": "data/sample.csv has {} of the {} rows of your data, and is committed to Git",
    "none": "no data/sample.csv: without the data, CI runs linters and the tests that need no rows, and trains nothing",
}
GAP = {"binary": 0.3, "multiclass": 0.3, "regression": 0.3}  # of roc_auc, accuracy and r2


def main() -> int:
    path, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    try:
        inferred = infer(path, **options)
    except (DataRefused, DataError) as error:
        print(str(error).replace(str(path), path.name), file=sys.stderr)  # the copy's place says nothing
        return 1
    print(json.dumps(inferred))
    return 0


def infer(
    path: Path,
    target: str,
    time: str | None,
    slices: list[str],
    task: str | None = None,
    sample: str = "synthetic",
) -> dict[str, Any]:
    """Write the two files, and return `answers`, `notes` and `overview`. Raises DataRefused or DataError."""
    try:
        file = {} if path.suffix == ".parquet" else dialect.dialect(path)
        frame = read_untyped(path, file)
    except (ValueError, UnicodeError, pa.ArrowException) as error:
        why = str(error).partition("\n")[0]
        raise DataRefused(
            f"{path.name} cannot be read: {why}\nIs it CSV with a header, or Parquet, and whole?"
        ) from error
    _expect(frame, path.name, target, time, slices)
    decimal = file.get("decimal", ".")
    described = {name: columns.column(frame[name], decimal) for name in frame.columns}
    described[target], task, notes = targets.target(frame[target], described[target], decimal, task)
    time, more_notes = time_column.time(frame, described, time, target)
    notes += more_notes
    described, key = _key(described, target, frame)
    schema = Schema(
        task=task,
        target=target,
        columns=described,
        positive=targets.positive(frame[target], described[target]) if task == "binary" else None,
        time=time,
        key=key,
        slices=slices,
        file=file,
    )
    if problems := find_contradictions(schema):
        raise DataRefused(
            f"{path.name}: {'; '.join(problems)}.\nLeave it out, or rename the column in the data."
        )
    schema, typed = _without_give_aways(path, schema)
    schema = replace(schema, duplicates=_duplicates(typed, schema))
    if schema.positive is not None:
        notes[0] += f"; predicts the probability of {schema.positive!r}"
    train, test = _trainable(typed, schema)
    judged, more_notes = _judged_slices(test, schema)
    notes += [*_never_predicted(train, schema), *_unusual_share(train, test, schema)]
    notes += _ignored(schema)
    if path.suffix != ".parquet":
        notes += [*dialect.in_words(file, path), *dialect.unclear(path, file), *dialect.unnamed(path, file)]
    notes += [*_ambiguous(frame, schema), *more_notes]
    sampled = outputs.write_sample(frame, schema, sample)
    if sampled:
        _expect_a_sample_that_trains(schema, sample)
    notes.append(SAMPLES[sample].format(sampled, len(frame)))
    notes.append("data/schema.yaml is committed to Git: it has ranges, and categories with up to 50 values")
    outputs.write_schema(schema)
    answers = {"task": task, "key": schema.key or ROW, "slices": judged, "target": target}
    answers["features"] = len(schema.features)
    if schema.time:
        answers["time"] = schema.time
    if schema.time and time_column.is_recent(typed[schema.time]):
        answers["coming_by"] = schema.time
        notes.append(f"an alarm when the newest {schema.time!r} gets older than 90 days (mlops.yaml)")
    if schema.positive is not None:
        answers["positive"] = json.dumps(schema.positive)
    overview = size.overview(schema, train, test) | {"sample": {"kind": sample, "rows": sampled}}
    return {"answers": answers, "notes": notes, "overview": overview}


def _expect(frame: pl.DataFrame, name: str, target: str, time: str | None, slices: list[str]) -> None:
    if len(frame) < outputs.FEWEST_ROWS:
        raise DataRefused(
            f"{name} has {len(frame)} rows; at least {outputs.FEWEST_ROWS} are needed to train and to test."
        )
    if long := [name for name in frame.columns if len(name) > LONGEST_NAME]:
        raise DataRefused(f"{name} has a column whose name has {len(long[0])} letters.\nIs there a header?")
    for option, column_name in [
        ("--target", target),
        ("--time", time),
        *(("--slice", name) for name in slices),
    ]:
        if column_name is not None and column_name not in frame.columns:
            near = difflib.get_close_matches(column_name, frame.columns, n=3, cutoff=0.5)
            shown = near or frame.columns[:10]
            raise DataRefused(
                f"{name} has no column {column_name!r} ({option}).\n"
                + ("Did you mean " if near else "Its columns: ")
                + ", ".join(map(repr, shown))
                + ("?" if near else "")
            )


def _key(
    described: dict[str, Column], target: str, frame: pl.DataFrame
) -> tuple[dict[str, Column], str | None]:
    for name, column in described.items():
        own = column.because.startswith("every row has its own")
        if (
            own
            and name != target
            and not columns.UNNAMED.fullmatch(name.lower())
            and not frame[name].null_count()
        ):
            return described | {name: replace(column, use="key", because="", missing=0.0)}, name
    return described, None


def _without_give_aways(path: Path, schema: Schema) -> tuple[Schema, pl.DataFrame]:
    typed = read(path, schema)
    numeric = schema.task == "regression"
    given = [
        name for name in schema.features if gives_away(typed[name], typed[schema.target], numeric=numeric)
    ]
    because = f"it gives the target {schema.target!r} away"
    ignored = {name: replace(schema.columns[name], use="ignored", because=because) for name in given}
    schema = replace(schema, columns=schema.columns | ignored)
    if not schema.features:
        reasons = "; ".join(_ignored(schema)) or "there is no other column"
        raise DataRefused(f"No column is left to learn {schema.target!r} from: {reasons}.")
    return schema, typed.select([*schema.used, ROW])


def _duplicates(typed: pl.DataFrame, schema: Schema) -> float:
    share = 1 - typed.drop(ROW).hash_rows().n_unique() / len(typed)
    return 0.0 if schema.key else round(min(1.0, share * 1.5 + 0.01), 2)


def _trainable(typed: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Train and test rows. The pipeline's own first stage must take what was inferred."""
    try:
        rows, test = prepare(typed, schema, read_params())
    except DataError as error:
        by_time = f"\nThe newest rows by {schema.time!r} are the test set; without that column it is drawn."
        raise DataRefused(
            f"The data cannot be split into train and test: {error}{by_time if schema.time else ''}"
        ) from error
    return rows.filter(~test), rows.filter(test)


def _expect_a_sample_that_trains(schema: Schema, kind: str) -> None:
    """It stands in for the data where that cannot be had."""
    try:
        prepare(read(Path("data/sample.csv"), schema), schema, read_params())
    except DataError as error:
        if kind == "synthetic":
            raise DataRefused(
                f"No synthetic sample can be made for this data: {error}\nCreate it with --sample rows or --sample none."
            ) from error
        raise DataRefused(
            f"{schema.target!r} has a class with too few rows; of a sample {error}.\n"
            "Take more data, or a target with more rows of each class."
        ) from error


def _never_predicted(train: pl.DataFrame, schema: Schema) -> list[str]:
    """Classes that the model cannot learn."""
    if schema.task == "regression":
        return []
    trained = train[schema.target].unique()
    unknown = [repr(value) for value in schema.classes if value not in trained]
    return [f"never predicted, as no row to train on has it: {', '.join(unknown)}"] if unknown else []


def _unusual_share(train: pl.DataFrame, test: pl.DataFrame, schema: Schema) -> list[str]:
    rows, expected = len(train) + len(test), read_params()["test_share"]
    if abs(len(test) / rows - expected) < UNUSUAL:
        return []
    why = f", because those of one {schema.time!r} stay together" if schema.time else ""
    return [f"{len(test)} of {rows} rows are the test set instead of {expected:.0%}{why}"]


def _judged_slices(test: pl.DataFrame, schema: Schema) -> tuple[list[dict[str, Any]], list[str]]:
    """A gate for each slice column that has two values with enough rows, and what to say of the others.

    One without would stay at "can't tell" and keep every model from being registered.
    """
    gates, more_notes = [], []
    for name in schema.slices:
        counts = test[name].value_counts()["count"]
        if (counts >= JUDGED_ROWS).sum() >= 2:
            because = "a first guess: how large a difference is right is for those who are affected"
            gates.append({"column": name, "gap": GAP[schema.task], "because": because})
        else:
            more_notes.append(
                f"no fairness gate for {name!r}: fewer than two of its values have {JUDGED_ROWS} test rows"
            )
    return gates, more_notes


def _ignored(schema: Schema) -> list[str]:
    return [
        f"left out: {name!r} ({column.because})"
        for name, column in schema.columns.items()
        if column.use == "ignored"
    ] + ([f"key: {schema.key!r} tells one row from another"] if schema.key else [])


def _ambiguous(frame: pl.DataFrame, schema: Schema) -> list[str]:
    return [
        f"{name!r} is read month first ({column.format}); day and month could be the other way round"
        for name, column in schema.columns.items()
        if column.format and columns.ambiguous(frame[name], column.format)
    ]


if __name__ == "__main__":
    sys.exit(main())
