"""The pipeline: prepare -> train -> evaluate, and predict for new rows. One stage a file."""

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


def params() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    return content
