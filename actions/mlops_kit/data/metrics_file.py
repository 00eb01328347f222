"""The metrics file of a pipeline, whatever its form."""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_kit.base import documents
from mlops_kit.base.errors import KitError

LARGEST = int(sys.float_info.max)  # a larger whole number is none that a metric can have


@dataclass(frozen=True)
class Metric:
    """A value with its interval and number of rows, where the file has them."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None

    @property
    def is_number(self) -> bool:
        return math.isfinite(self.value)

    @property
    def is_within(self) -> bool:
        """Of its own interval, where it has one; no number is within one that has NaN as an end, or is inverted."""
        above = self.low is None or self.low <= self.value
        return above and (self.high is None or self.value <= self.high)


def read_metrics(path: Path) -> dict[str, Any]:
    """Raises KitError when the file is not there or is no mapping."""
    if not path.is_file():
        raise KitError(f"{path.name} is not there: nothing says how good the model is.", "Train first.")
    return parse_metrics(path.read_text(encoding="utf-8"), path.name)


def parse_metrics(text: str, name: str) -> dict[str, Any]:
    """JSON, YAML or TOML, by the name's ending."""
    content = documents.parse(text, name)
    if not isinstance(content, dict):
        raise KitError(
            f"{name} holds a {type(content).__name__}, not a mapping of metrics.",
            'Whatever writes it must name its metrics, for instance {"accuracy": 0.81, "n": 500}.',
        )
    return content


def value_at(content: Any, path: str) -> Any:
    """The value at a dotted path; None where there is none. A key can hold dots itself."""
    if not path:
        return content
    if not isinstance(content, dict):
        return None
    for key, inner in content.items():
        if path == str(key) or path.startswith(f"{key}."):
            value = value_at(inner, path[len(str(key)) + 1 :])
            if value is not None:
                return value
    return None


def metric_at(content: dict[str, Any], path: str) -> Metric | None:
    """The metric at a dotted path, with `n` of the mapping around it; None where there is no number."""
    entry = value_at(content, path)
    around = value_at(content, path.rpartition(".")[0]) if "." in path else content
    n = around.get("n") if isinstance(around, dict) else None
    if isinstance(entry, dict) and "value" in entry:
        value, low, high, n = entry["value"], entry.get("low"), entry.get("high"), entry.get("n", n)
    else:
        value, low, high = entry, None, None
    return Metric(float(value), _end(low), _end(high), _rows(n)) if _is_numeric(value) else None


def _is_numeric(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= LARGEST
    return isinstance(value, float)


def _end(value: Any) -> float | None:
    """Of an interval: NaN where something else stands than a number."""
    return None if value is None else float(value) if _is_numeric(value) else math.nan


def _rows(n: Any) -> int | None:
    """None where something else stands than a number of rows."""
    return int(n) if _is_numeric(n) and math.isfinite(n) else None


def all_metrics(content: dict[str, Any], at: str = "") -> dict[str, Metric]:
    """Every metric by its dotted path; the interval's own numbers and `n` are not metrics."""
    metrics: dict[str, Metric] = {}
    for key, inner in content.items():
        path = f"{at}.{key}" if at else str(key)
        if isinstance(inner, dict) and "value" not in inner:
            n = _rows(inner.get("n"))
            for name, nested in all_metrics(inner, path).items():
                metrics[name] = (
                    nested if nested.n is not None else Metric(nested.value, nested.low, nested.high, n)
                )
        elif key != "n" and (metric := metric_at({"x": inner}, "x")):
            metrics[path] = metric
    return metrics
