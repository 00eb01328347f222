"""Shows a check in Evidently: its report and its tests, with the limits of `mlops-kit monitor`, which runs this."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from page import with_verdict

DECIDED = "drift is decided by mlops-kit"  # stands beside each of Evidently's results


@dataclass(frozen=True)
class Given:
    """Of one check; limits by column."""

    check: dict[str, Any]
    reference: Path
    window: Path
    limits: dict[str, dict[str, Any]]
    views: Path

    @classmethod
    def read(cls) -> "Given":
        def path(name: str) -> Path:
            if not (given := os.environ.get(f"MLOPS_{name}")):
                sys.exit(f"no MLOPS_{name}: run `mlops-kit monitor check`")
            return Path(given)

        return cls(
            json.loads(path("CHECK").read_text("utf-8")),
            path("REFERENCE"),
            path("WINDOW"),
            json.loads(path("LIMITS").read_text("utf-8"))["columns"],
            path("VIEWS"),
        )


def main() -> None:
    given = Given.read()
    folder = given.views / "evidently"
    folder.mkdir(parents=True, exist_ok=True)
    report = compared(given.reference, given.window, given.limits, drifted(given.check))
    (folder / "report.json").write_text(report.json(), encoding="utf-8")
    html = report.get_html_str(as_iframe=False)
    page = with_verdict(html, given.check, given.limits, scores(report.dict()))
    (folder / "report.html").write_text(page, encoding="utf-8")
    print(folder / "report.html")


def drifted(check: dict[str, Any]) -> set[str]:
    """The columns in which the check found drift."""
    return {one["column"] for one in check["data"]["drifts"]}


def compared(
    reference: Path, window: Path, limits: dict[str, dict[str, Any]], moved: set[str]
) -> Any:
    """Evidently's snapshot. A column's test fails if the check found drift in it (`moved`), so the two never contradict."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    ordered = [name for name, limit in limits.items() if "step" in limit]
    levels = [name for name in limits if name not in ordered]
    means = DataDefinition(numerical_columns=ordered, categorical_columns=levels)
    now, before = (
        Dataset.from_pandas(pd.read_parquet(file)[list(limits)], data_definition=means)
        for file in (window, reference)
    )
    preset = DataDriftPreset(
        columns=list(limits),
        drift_share=1 / len(limits),
        per_column_method={
            name: _registered(at, name in ordered, name in moved) for at, name in enumerate(limits)
        },
        per_column_threshold={name: threshold(limit) for name, limit in limits.items()},
    )
    return Report([preset], include_tests=True).run(now, before)


def threshold(limit: dict[str, Any]) -> float:
    return float(limit["step"] if "step" in limit else limit["jensen_shannon"])


def _registered(number: int, is_ordered: bool, is_drift: bool) -> str:
    """The name of a test that measures a column's distance and gives the verdict of the check.

    The distance is the largest step between the cumulative distributions, or for levels Evidently's Jensen-Shannon distance.
    Evidently's own `ks` takes a probability as its limit, which is right only for independent rows.
    """
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.calculations.stattests.jensenshannon import jensenshannon_stat_test
    from evidently.legacy.core import ColumnType
    from scipy.stats import ks_2samp

    kind = ColumnType.Numerical if is_ordered else ColumnType.Categorical

    def test(before: Any, now: Any, feature_type: Any, limit: float) -> tuple[float, bool]:
        if is_ordered:
            return float(ks_2samp(before, now, method="asymp").statistic), is_drift
        return float(
            jensenshannon_stat_test(before, now, feature_type, limit).drift_score
        ), is_drift

    distance = "largest step (Kolmogorov-Smirnov)" if is_ordered else "Jensen-Shannon distance"
    name = f"mlops_kit_{number}"
    register_stattest(
        StatTest(name=name, display_name=f"{distance}; {DECIDED}", allowed_feature_types=[kind]),
        test,
    )
    return name


def scores(report: dict[str, Any]) -> dict[str, float]:
    """By column, of Evidently's report."""
    found = [(one["config"].get("column"), one["value"]) for one in report["metrics"]]
    return {column: float(value) for column, value in found if column}


if __name__ == "__main__":
    main()
