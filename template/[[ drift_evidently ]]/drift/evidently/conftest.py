"""A check that found drift, as the kit hands it over: shared by the tests of the layer's tools."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

LIMITS: dict[str, dict[str, Any]] = {
    "age": {"kind": "number", "step": 0.09},
    "paid": {"kind": "boolean", "jensen_shannon": 0.06, "hellinger": 0.06},
    "plan": {"kind": "category", "jensen_shannon": 0.08, "hellinger": 0.08},
}
DRIFT = {"column": "age", "what": "median 40 -> 52, +1.00 sd"}
CHECK: dict[str, Any] = {
    "at": "2026-06-30T05:00:00.000Z",
    "version": "v0.1.0",
    "window": "in/june 2026.parquet",
    "data": {"state": "drift", "n": 1000, "compared": 1000, "drifts": [DRIFT], "changes": []},
}
FILES = {
    "CHECK": "check.json",
    "LIMITS": "limits.json",
    "REFERENCE": "reference.parquet",
    "WINDOW": "window.parquet",
    "ROWS": "rows.parquet",
    "VIEWS": "views",
}


def table(seed: int, rows: int) -> pd.DataFrame:
    """Levels are texts, those of a boolean too."""
    draw = np.random.default_rng(seed)
    age = np.where(draw.random(rows) < 0.1, np.nan, draw.normal(40, 12, rows))
    paid = np.where(draw.random(rows) < 0.3, "true", "false")
    return pd.DataFrame({"age": age, "paid": paid, "plan": draw.choice(["a", "b", "c"], rows)})


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "check.json").write_text(json.dumps(CHECK))
    (tmp_path / "limits.json").write_text(json.dumps({"columns": LIMITS}))
    table(1, 5000).to_parquet(tmp_path / "reference.parquet")
    for name, file in FILES.items():
        monkeypatch.setenv(f"MLOPS_{name}", str(tmp_path / file))
    monkeypatch.chdir(tmp_path)
    return tmp_path
