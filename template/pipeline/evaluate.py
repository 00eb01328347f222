"""Evaluate the model on the test rows. The same inputs give the same bytes."""

import json
import sys
from typing import Any

import numpy as np
import polars as pl

from pipeline import EVALUATION, METRICS, MODEL, read_params
from pipeline import schema as schemas
from pipeline.metrics import PRIMARY, Floats, compute_curves, compute_metrics
from pipeline.schema import ROW, DataError, Schema
from pipeline.train import encode_target, load_model, make_features, read_prepared

POINTS = 500  # of a curve, at most


def compute_predictions(model: Any, inputs: pl.DataFrame, schema: Schema) -> Floats:
    """Probabilities of `schema.classes`, shape (n, classes); for a regression numbers, shape (n,)."""
    if schema.task == "regression":
        return np.asarray(model.predict(inputs), dtype=float).reshape(len(inputs))
    known = np.asarray(model.predict_proba(inputs), dtype=float)
    everything = np.zeros((len(inputs), len(schema.classes)))
    everything[:, model.classes_] = known  # a class without training rows has probability 0
    return everything


def add_keys(frame: pl.DataFrame, values: Floats, schema: Schema) -> pl.DataFrame:
    """Predictions with the keys of their rows, in the form in which they are always stored."""
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


def measure_slices(
    frame: pl.DataFrame, actual: Floats, values: Floats, schema: Schema, min_rows: int
) -> dict[str, dict[str, Any]]:
    """Metrics for each value of each slice column; with too few rows only their number."""
    slices: dict[str, dict[str, Any]] = {}
    for name in schema.slices:
        column = frame[name].cast(pl.String).fill_null("missing")
        slices[name] = {}
        for value in column.unique().sort():
            rows = (column == value).to_numpy()
            enough = rows.sum() >= min_rows
            measured = compute_metrics(schema.task, actual[rows], values[rows]) if enough else None
            slices[name][value] = measured or {"n": int(rows.sum())}
    return slices


def measure_importance(
    model: Any, frame: pl.DataFrame, schema: Schema, numbers: dict[str, Any]
) -> pl.DataFrame:
    """How much worse the primary metric gets if a column is shuffled, the worst first."""
    most = numbers["evaluate"]["importance_rows"]
    frame = frame.sample(min(len(frame), most), seed=numbers["seed"])
    actual = encode_target(frame, schema).to_numpy().astype(float)
    primary = PRIMARY[schema.task]
    order = np.random.default_rng(numbers["seed"]).permutation(len(frame))

    def measure_loss(rows: pl.DataFrame) -> float:
        predicted = compute_predictions(model, make_features(rows, schema), schema)
        metric = compute_metrics(schema.task, actual, predicted).get(primary, {"value": 0.0})
        value = metric["value"]
        return float(-value if primary == "roc_auc" else value)

    unshuffled_loss = measure_loss(frame)
    worse = {
        name: measure_loss(frame.with_columns(frame[name].gather(order))) - unshuffled_loss
        for name in schema.features
    }
    table = pl.DataFrame({"column": list(worse), "importance": list(worse.values())})
    return table.sort("importance", descending=True, maintain_order=True)


def main() -> None:
    try:
        numbers, schema = read_params(), schemas.load()
        frame = read_prepared("test")
        model = load_model(MODEL / "model.joblib")
        baseline = load_model(MODEL / "baseline.joblib")
    except DataError as error:
        sys.exit(str(error))
    inputs = make_features(frame, schema)
    actual = encode_target(frame, schema).to_numpy().astype(float)
    values = compute_predictions(model, inputs, schema)
    averages = compute_predictions(baseline, inputs, schema)
    min_rows = numbers["evaluate"]["min_slice_rows"]
    metrics = {
        "model": compute_metrics(schema.task, actual, values),
        "baseline": compute_metrics(schema.task, actual, averages),
        "slices": measure_slices(frame, actual, values, schema, min_rows),
    }
    curves = compute_curves(schema.task, actual, values)
    plots = {name: pl.DataFrame(curve) for name, curve in curves.items()}
    plots["importance"] = measure_importance(model, frame, schema, numbers)
    (EVALUATION / "plots").mkdir(parents=True, exist_ok=True)
    METRICS.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    table = add_keys(frame, values, schema).with_columns(
        frame[schema.target].alias("actual"), *(frame[name] for name in schema.slices)
    )
    table.write_parquet(EVALUATION / "predictions.parquet")
    for name, plot in plots.items():
        thinned = plot.gather(np.unique(np.linspace(0, len(plot) - 1, POINTS).astype(int)))
        thinned.write_csv(EVALUATION / "plots" / f"{name}.csv", float_precision=6)
    for name in list(metrics["model"])[1:]:  # after n
        best, average = (metrics[which][name]["value"] for which in ("model", "baseline"))
        print(f"{name}: {best:.4f}, baseline {average:.4f}")


if __name__ == "__main__":
    main()
