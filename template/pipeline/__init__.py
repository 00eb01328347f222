"""The pipeline: prepare, train and evaluate are its stages; predict is for new rows.

Yours to edit: `train.py` (features and model), `metrics.py`, `evaluate.py`, `prepare.py`.
Nobody needs to touch the others; data/schema.yaml and params.yaml decide what they do: `read.py` and
`coerce.py` read files, `schema.py` reads the schema, `checks.py` and `leaks.py` check the data,
`predict.py` and `answer.py` predict.
"""

import os
from pathlib import Path
from typing import Any

import yaml

# Before scikit-learn loads: predicting is short, and threads that wait for each other make it long.
# Training sets a number of its own (train.threads of params.yaml).
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

PREPARED = Path("data/prepared")
MODEL = Path("model")
EVALUATION = Path("evaluation")
METRICS = Path("metrics.json")


def read_params() -> dict[str, Any]:
    """The content of params.yaml."""
    content: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    return content
