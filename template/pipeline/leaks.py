"""Find features that give the target away: they are not known when a prediction is needed."""

import numpy as np
import polars as pl

from pipeline.schema import Schema

GIVES_AWAY = 0.02  # a column that leaves under 2 % of the chance disagreement gives the target away
FEW = 50  # rows under which a perfect column may be luck
ENOUGH = 20_000  # rows to see it in


def find_leaks(frame: pl.DataFrame, schema: Schema) -> list[str]:
    """A message for each feature that gives the target away."""
    return [
        f"column {name!r} gives the target {schema.target!r} away. If it is really known before the "
        "target is, set `may_give_target_away: true`; else set `use: ignored`"
        for name, column in schema.features.items()
        if schema.target in frame.columns
        and not column.may_give_target_away
        and gives_away(frame[name], frame[schema.target], numeric=schema.task == "regression")
    ]


def gives_away(values: pl.Series, target: pl.Series, *, numeric: bool) -> bool:
    """True if the values, or whether a value is missing, nearly always determine the target."""
    rows = pl.DataFrame({"value": values, "missing": values.is_null(), "target": target})
    rows = rows.filter(pl.col("target").is_not_null())
    rows = rows.sample(min(len(rows), ENOUGH), shuffle=True, seed=0)
    known = rows.filter(~pl.col("missing"))
    return _predicts_target(known, "value", numeric) or _predicts_target(rows, "missing", numeric)


def _predicts_target(rows: pl.DataFrame, by: str, numeric: bool) -> bool:
    """Whether neighbours in the order of a column nearly always have the same target.

    Classes: disagreements between neighbours over those expected by chance. Numbers: the rank form
    (Bartels 1982) of von Neumann's ratio, the mean squared difference between neighbours to twice the
    variance; a copy of the target has 6 / n**2, so that it is seen from 123 different values on.
    """
    if len(rows) < FEW or rows[by].n_unique() < 2 or rows["target"].n_unique() < 2:
        return False
    ordered = rows.sort(by, maintain_order=True)["target"]
    if numeric:
        ranks = ordered.rank().to_numpy()  # a long tail's own gaps would hide a copy
        return bool(np.mean(np.diff(ranks) ** 2) < GIVES_AWAY**2 * 2 * ranks.var())
    disagree = (ordered != ordered.shift()).mean()
    shares = ordered.value_counts(normalize=True)["proportion"].to_numpy()
    return bool(disagree < GIVES_AWAY * (1 - (shares**2).sum()))
