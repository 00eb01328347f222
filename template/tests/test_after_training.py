"""After training: does the model do what a model must, whatever the data?

The targets are planted, so that these hold for any data: one that follows from a feature must be learned,
one that is noise must not.
"""

from typing import Any

import numpy as np
import polars as pl
import pytest
from conftest import planted, split

from pipeline import read_params
from pipeline.evaluate import compute_predictions, measure_slices
from pipeline.metrics import Floats, compute_metrics
from pipeline.schema import ROW, Schema
from pipeline.train import encode_target, make_features, train

ROWS = 1000  # that the sample is repeated to, so that a small one is enough to learn from


@pytest.fixture
def many(sample: pl.DataFrame) -> pl.DataFrame:
    times = -(-ROWS // len(sample))
    return pl.concat([sample] * times).with_columns(pl.int_range(pl.len()).alias(ROW))


def learned(frame: pl.DataFrame, schema: Schema) -> tuple[Any, Floats, Floats]:
    """A model of the frame's older rows; actual and predicted target of its newer ones."""
    old, new = split(frame, schema)
    model, _ = train(old, schema, read_params())
    actual = encode_target(new, schema).to_numpy().astype(float)
    return model, actual, compute_predictions(model, make_features(new, schema), schema)


def agreement(schema: Schema, actual: Floats, values: Floats) -> float:
    """Of actual and predicted 0 or 1: 0.5 for chance, 1 for a perfect order."""
    score = values if schema.task == "regression" else values[:, 1]
    found = compute_metrics("binary", actual, np.column_stack([1 - score, score]))
    return float(found["roc_auc"]["value"])


def test_what_is_there_is_learned(many: pl.DataFrame, schema: Schema) -> None:
    seen = make_features(many, schema)
    fullest_first = sorted(seen.columns, key=lambda name: seen[name].null_count())
    for name in fullest_first:
        made = planted(many, schema, sides(seen[name]))
        if all(part[schema.target].n_unique() == 2 for part in split(made, schema)):
            break
    else:  # of what is the same in all older or all newer rows nothing can be learned
        pytest.skip("no column has two sides both in the rows to train on and in those to test on")
    _, actual, values = learned(made, schema)
    assert agreement(schema, actual, values) > 0.95, f"the target follows from {name!r}"


def sides(values: pl.Series) -> pl.Series:
    """0 and 1: up to the median and above it, or all but the highest and the highest."""
    ranks = values.rank("dense")
    above = (ranks > ranks.median()).fill_null(False)
    high = above if above.n_unique() == 2 else (values == values.max()).fill_null(False)
    return high.cast(pl.Int64)


def test_noise_is_not_learned(many: pl.DataFrame, schema: Schema) -> None:
    noise = pl.Series(np.random.default_rng(0).integers(0, 2, len(many)))
    _, actual, values = learned(planted(many, schema, noise), schema)
    assert agreement(schema, actual, values) < 0.7, "something tells the model the target"


def test_the_same_training_gives_the_same_predictions(many: pl.DataFrame, schema: Schema) -> None:
    model, _, first = learned(many, schema)
    _, _, again = learned(many, schema)
    np.testing.assert_array_equal(first, again)
    settings = model.named_steps["estimator"].get_params()
    assert settings.get("random_state", "no such setting") is not None, (
        "the estimator is not seeded"
    )


def test_predictions_are_numbers_or_probabilities(many: pl.DataFrame, schema: Schema) -> None:
    _, _, values = learned(many, schema)
    assert np.isfinite(values).all()
    if schema.task != "regression":
        assert values.min() >= 0
        np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-6)


def test_unknown_and_missing_values_are_predicted(many: pl.DataFrame, schema: Schema) -> None:
    model, _, _ = learned(many, schema)
    strange = many.head(3).with_columns(
        pl.lit("never seen").alias(name)
        if column.type == "category"
        else pl.lit(None, many[name].dtype).alias(name)
        for name, column in schema.features.items()
    )
    assert np.isfinite(compute_predictions(model, make_features(strange, schema), schema)).all()


def test_slices_with_few_rows_are_counted_not_judged(schema: Schema) -> None:
    rows = pl.DataFrame({"group": ["big"] * 40 + ["small"] * 3})
    actual: Floats = np.arange(43, dtype=np.float64) % 2
    values: Floats = actual
    if schema.task != "regression":
        values = np.eye(len(schema.classes))[actual.astype(int)]
    sliced = Schema(schema.task, schema.target, schema.columns, slices=["group"])
    found = measure_slices(rows, actual, values, sliced, min_rows=30)["group"]
    assert found["small"] == {"n": 3}
    assert set(found["big"]) > {"n"}
