"""Model and test rows -> metrics.json, the predictions behind it, and plots.

Only what the inputs determine is written, so that the same inputs give the same bytes.
"""

import json
import sys
from typing import Any

import numpy as np
import polars as pl

from pipeline import EVALUATION, METRICS, MODEL, params
from pipeline import schema as schemas
from pipeline.metrics import PRIMARY, Floats, curves, figures
from pipeline.schema import ROW, DataError, Schema
from pipeline.train import codes, features, load, prepared

POINTS = 500  # of a curve, at most


def predicted(model: Any, seen: pl.DataFrame, schema: Schema) -> Floats:
    """Probabilities of `schema.classes`, shape (n, classes); for a regression numbers, shape (n,)."""
    if schema.task == "regression":
        return np.asarray(model.predict(seen), dtype=float).reshape(len(seen))
    known = np.asarray(model.predict_proba(seen), dtype=float)
    everything = np.zeros((len(seen), len(schema.classes)))
    everything[:, model.classes_] = known  # a class without training rows has probability 0
    return everything


def keyed(frame: pl.DataFrame, values: Floats, schema: Schema) -> pl.DataFrame:
    """The rows' keys and predictions: the form in which predictions are stored everywhere."""
    table = frame.select(pl.col(schema.key or ROW).cast(pl.String).alias("key"))
    if schema.task == "regression":
        return table.with_columns(prediction=pl.Series(values))
    classes = pl.Series(schema.classes)
    table = table.with_columns(prediction=classes.gather(values.argmax(axis=1)))
    if schema.task == "binary":
        return table.with_columns(probability=pl.Series(values[:, 1]))
    return table.with_columns(
        pl.Series(f"probability.{name}", values[:, code]) for code, name in enumerate(classes)
    )


def by_slice(
    frame: pl.DataFrame, actual: Floats, values: Floats, schema: Schema, min_rows: int
) -> dict[str, dict[str, Any]]:
    """Figures for each value of each slice column; with too few rows only their number."""
    found: dict[str, dict[str, Any]] = {}
    for name in schema.slices:
        column = frame[name].cast(pl.String).fill_null("missing")
        found[name] = {}
        for value in column.unique().sort():
            rows = (column == value).to_numpy()
            n = int(rows.sum())
            enough = n >= min_rows
            found[name][value] = (
                figures(schema.task, actual[rows], values[rows]) if enough else {"n": n}
            )
    return found


def importance(
    model: Any, frame: pl.DataFrame, schema: Schema, numbers: dict[str, Any]
) -> pl.DataFrame:
    """How much worse the primary figure gets when a column's values change rows, worst first."""
    most = numbers["evaluate"]["importance_rows"]
    frame = frame.sample(min(len(frame), most), seed=numbers["seed"])
    actual, primary = codes(frame, schema).to_numpy().astype(float), PRIMARY[schema.task]
    order = np.random.default_rng(numbers["seed"]).permutation(len(frame))

    def figure(rows: pl.DataFrame) -> float:
        found = figures(schema.task, actual, predicted(model, features(rows, schema), schema))
        value = found.get(primary, {"value": 0.0})["value"]
        return float(-value if primary == "roc_auc" else value)

    whole = figure(frame)
    worse = {
        name: figure(frame.with_columns(frame[name].gather(order))) - whole
        for name in schema.features
    }
    table = pl.DataFrame({"column": list(worse), "importance": list(worse.values())})
    return table.sort("importance", descending=True, maintain_order=True)


def main() -> None:
    try:
        numbers, schema, frame = params(), schemas.load(), prepared("test")
        model, baseline = (load(MODEL / f"{name}.joblib") for name in ("model", "baseline"))
    except DataError as error:
        sys.exit(str(error))
    seen, actual = features(frame, schema), codes(frame, schema).to_numpy().astype(float)
    values = predicted(model, seen, schema)
    found = {
        "model": figures(schema.task, actual, values),
        "baseline": figures(schema.task, actual, predicted(baseline, seen, schema)),
        "slices": by_slice(frame, actual, values, schema, numbers["evaluate"]["min_slice_rows"]),
    }
    drawn = curves(schema.task, actual, values)
    plots = {name: pl.DataFrame(curve) for name, curve in drawn.items()}
    plots["importance"] = importance(model, frame, schema, numbers)

    (EVALUATION / "plots").mkdir(parents=True, exist_ok=True)
    METRICS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    table = keyed(frame, values, schema).with_columns(
        frame[schema.target].alias("actual"), *(frame[name] for name in schema.slices)
    )
    table.write_parquet(EVALUATION / "predictions.parquet")
    for name, plot in plots.items():
        thinned = plot.gather(np.unique(np.linspace(0, len(plot) - 1, POINTS).astype(int)))
        thinned.write_csv(EVALUATION / "plots" / f"{name}.csv", float_precision=6)
    for name in list(found["model"])[1:]:  # after n
        best, average = (found[which][name]["value"] for which in ("model", "baseline"))
        print(f"{name}: {best:.4f}, baseline {average:.4f}")


if __name__ == "__main__":
    main()
