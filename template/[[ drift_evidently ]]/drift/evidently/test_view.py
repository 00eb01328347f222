"""What Evidently says of rows whose drift is known."""

import json
from pathlib import Path

import pandas as pd
import pytest
from conftest import CHECK, LIMITS, table
from view import main


def failed(given: Path, window: pd.DataFrame, *drifts: str) -> set[str]:
    """Columns whose test failed, after a check that found `drifts`; empty is the one about all of them."""
    found = [{"column": name, "what": "median 40 -> 52, +1.00 sd"} for name in drifts]
    data = CHECK["data"] | {"drifts": found, "state": "drift" if drifts else "no drift"}
    (given / "check.json").write_text(json.dumps(CHECK | {"data": data}))
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
    assert failed(given, window, "age") == {"", "age"}
    window["plan"] = window["plan"].replace("b", "a")
    assert failed(given, window, "age", "plan") == {"", "age", "plan"}


def test_evidently_never_contradicts_the_check_on_a_column(given: Path) -> None:
    """Not where the check sees what no distance shows, nor where a distance is above its limit without drift."""
    window = table(2, 1000)
    assert failed(given, window, "age", "paid") == {"", "age", "paid"}
    page = (given / "views/evidently/report.html").read_text("utf-8")
    assert page.count("(seen in spread, shape or missing values, not in this distance)") == 2
    window["age"] += 12
    window["plan"] = window["plan"].replace("b", "a")
    assert failed(given, window) == set()
    page = (given / "views/evidently/report.html").read_text("utf-8")
    assert "Inputs: no drift" in page
    assert page.count("(above the limit, but too few rows changed)") == 2
    assert "drift is decided by mlops-kit" in page


def test_the_page_says_whose_verdict_it_is(given: Path) -> None:
    failed(given, table(2, 1000), "age")
    page = (given / "views/evidently/report.html").read_text("utf-8")
    assert "Inputs: drift" in page
    assert "median 40 -&gt; 52" in page
    assert "decides what is drift" in page


def test_without_a_check_it_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLOPS_CHECK", raising=False)
    with pytest.raises(SystemExit, match="no MLOPS_CHECK: run `mlops-kit monitor check`"):
        main()
