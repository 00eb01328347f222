"""The pipeline: prepare -> train -> evaluate, and predict for new rows. One stage a file."""

from pathlib import Path
from typing import Any

import yaml

PREPARED = Path("data/prepared")
MODEL = Path("model")
EVALUATION = Path("evaluation")
METRICS = Path("metrics.json")


def params() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    return content
