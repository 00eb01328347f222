"""Predictions with labels for every task, and what concept drift says of them."""

from typing import Any

import numpy as np
import pyarrow as pa
from mlops_kit.monitoring.checks import concept_drift
from mlops_kit.monitoring.checks.concept_drift import ConceptDrift
from mlops_kit.monitoring.reference import Reference
from mlops_kit.predictions_log.lines import hashed
from mlops_kit.project.sections import Monitoring, Predictions

from tests.kit.monitoring.log_repository import moments

N = 400
FORMS = {
    "regression": Predictions(file="p", task="regression"),
    "multiclass": Predictions(file="p", task="multiclass"),
    "binary": Predictions(file="p", task="binary", positive="yes"),
    "flags": Predictions(file="p", task="binary", positive=True),
}
CLASSES = {"binary": ["yes", "no"], "flags": ["true", "false"], "multiclass": ["a", "b", "c"]}


def rows(task: str, seed: int, *, wrong: bool = False) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    if task == "regression":
        prediction = draw.normal(size=N)
        return {"prediction": prediction, "actual": prediction + draw.normal(size=N) * (2 if wrong else 0.5)}
    classes = np.array(CLASSES[task])
    prediction, other = draw.choice(classes, N), draw.choice(classes, N)
    return {
        "prediction": prediction,
        "actual": np.where(draw.random(N) < (0.9 if wrong else 0.2), other, prediction),
    }


def judged(task: str, *, wrong: bool, labels: Any = None, within: float = 1e5) -> ConceptDrift:
    evaluated = pa.table({"key": [str(at) for at in range(N)]} | rows(task, 1))
    made = rows(task, 2, wrong=wrong)
    keys = pa.array([f"n{at}" for at in range(N)])
    texts = pa.array([str(one) for one in made["prediction"]])
    times = moments(f"2026-11-{1 + at // 20:02}T{at % 20:02}:00:00" for at in range(N))
    nothing = pa.nulls(N, pa.float64())
    facts = pa.table({"time": times, "key": hashed(keys), "prediction": texts, "probability": nothing})
    came = labels if labels is not None else [str(one) for one in made["actual"]]
    reference = Reference("v0.1.0", N, [], np.empty((N, 0), np.uint8), [], None, evaluated)
    labelled = pa.table({"key": hashed(keys), "actual": pa.array(came, pa.string())})
    return concept_drift.measure(
        reference, facts, labelled, FORMS[task], Monitoring(labels_within_days=within)
    )
