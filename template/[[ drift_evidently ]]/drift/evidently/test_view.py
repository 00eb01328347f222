"""What Evidently says of rows whose drift is known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from view import main

LIMITS: dict[str, dict[str, Any]] = {
    "age": {"kind": "number", "step": 0.09},
    "paid": {"kind": "boolean", "jensen_shannon": 0.06, "hellinger": 0.06},
    "plan": {"kind": "category", "jensen_shannon": 0.08, "hellinger": 0.08},
}
DRIFT = {"column": "age", "what": "median 40 -> 52, +1.00 sd"}
CHECK = {
    "version": "v0.1.0",
    "window": "june.parquet",
    "data": {"state": "drift", "n": 1000, "compared": 1000, "drifts": [DRIFT], "changes": []},
}


def table(seed: int, rows: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    age = np.where(draw.random(rows) < 0.1, np.nan, draw.normal(40, 12, rows))
    return pd.DataFrame(
        {"age": age, "paid": draw.random(rows) < 0.3, "plan": draw.choice(["a", "b", "c"], rows)}
    )


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "check.json").write_text(json.dumps(CHECK))
    (tmp_path / "limits.json").write_text(json.dumps({"columns": LIMITS}))
    table(1, 5000).to_parquet(tmp_path / "reference.parquet")
    names = {"CHECK": "check.json", "LIMITS": "limits.json", "VIEWS": "views"}
    for name, file in {
        **names,
        "REFERENCE": "reference.parquet",
        "WINDOW": "window.parquet",
    }.items():
        monkeypatch.setenv(f"MLOPS_{name}", str(tmp_path / file))
    return tmp_path


def failed(given: Path, window: pd.DataFrame) -> set[str]:
    """Columns whose test failed; empty is the one about all of them."""
    window.to_parquet(given / "window.parquet")
    main()
    report = json.loads((given / "views/evidently/report.json").read_text("utf-8"))
    tests = [
        (one["metric_config"]["params"].get("column", ""), one["status"]) for one in report["tests"]
    ]
    assert len(tests) == len(LIMITS) + 1
    return {column for column, status in tests if status != "SUCCESS"}


def test_rows_like_the_reference_fail_no_test(given: Path) -> None:
    assert failed(given, table(2, 1000)) == set()


def test_what_moved_is_named(given: Path) -> None:
    window = table(2, 1000)
    window["age"] += 12
    assert failed(given, window) == {"", "age"}
    window["plan"] = window["plan"].replace("b", "a")
    assert failed(given, window) == {"", "age", "plan"}


def test_the_page_says_whose_verdict_it_is(given: Path) -> None:
    failed(given, table(2, 1000))
    page = (given / "views/evidently/report.html").read_text("utf-8")
    assert "Inputs: drift" in page
    assert "median 40 -&gt; 52" in page
    assert "the verdict stands" in page


def test_without_a_check_it_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLOPS_CHECK", raising=False)
    with pytest.raises(SystemExit, match="no MLOPS_CHECK: run `mlops-kit monitor check`"):
        main()
