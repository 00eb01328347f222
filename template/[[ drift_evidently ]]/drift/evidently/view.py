"""Shows a check in Evidently: its report and its tests, with the limits of `mlops-kit monitor`, which runs this."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from page import with_verdict

LEVELS, STEP = "jensenshannon", "largest_step"  # Evidently's own distance, and one of ours


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
    report = compared(given.reference, given.window, given.limits)
    (folder / "report.json").write_text(report.json(), encoding="utf-8")
    html = report.get_html_str(as_iframe=False)
    page = with_verdict(html, given.check, given.limits, scores(report.dict()))
    (folder / "report.html").write_text(page, encoding="utf-8")
    print(folder / "report.html")


def compared(reference: Path, window: Path, limits: dict[str, dict[str, Any]]) -> Any:
    """Evidently's snapshot. A single column above its limit is drift, because the limits hold together."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    _register_step()
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
        per_column_method={name: STEP if name in ordered else LEVELS for name in limits},
        per_column_threshold={name: threshold(limit) for name, limit in limits.items()},
    )
    return Report([preset], include_tests=True).run(now, before)


def threshold(limit: dict[str, Any]) -> float:
    return float(limit["step"] if "step" in limit else limit["jensen_shannon"])


def _register_step() -> None:
    """Evidently's `ks` takes a chance as its limit, which is that of rows that know nothing of each other."""
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType
    from scipy.stats import ks_2samp

    def step(before: Any, now: Any, feature_type: Any, limit: float) -> tuple[float, bool]:
        found = float(ks_2samp(before, now, method="asymp").statistic)
        return found, found > limit

    register_stattest(
        StatTest(
            name=STEP,
            display_name="largest step (Kolmogorov-Smirnov)",
            allowed_feature_types=[ColumnType.Numerical],
        ),
        step,
    )


def scores(report: dict[str, Any]) -> dict[str, float]:
    """By column, of Evidently's report."""
    found = [(one["config"].get("column"), one["value"]) for one in report["metrics"]]
    return {column: float(value) for column, value in found if column}


if __name__ == "__main__":
    main()
