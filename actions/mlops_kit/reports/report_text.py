"""The report for a terminal: at most ten lines."""

from pathlib import Path

from mlops_kit.base.markdown import number, one_line
from mlops_kit.data.metrics_file import Metric
from mlops_kit.reports.report import Report
from mlops_kit.versions.description import judgement
from mlops_kit.versions.gate_results import GateResult

MOST_GATES, MOST_METRICS = 3, 3  # lines of each; with verdict, training, two "more" and the path it makes ten
WIDTH = 160  # characters of a line


def short(report: Report, page: Path) -> str:
    """Verdict, training, gates that do not pass, metrics, and the path of the page."""
    lines = [report.training.heading] if report.training else []
    lines += _gates(report) + _metrics(report)
    indented = [f"  {one_line(line, WIDTH)}" for line in lines]
    return "\n".join([f"{report.model}: {report.verdict_in_words}", *indented, f"Page: {page}"])


def _gates(report: Report) -> list[str]:
    if report.verdict is None:
        return ["Run `mlops-kit gate` to judge the model."]
    closed = [one for one in report.verdict.results if one.status != "pass"]
    return [_gate(one) for one in closed[:MOST_GATES]] + _more(len(closed) - MOST_GATES, "gate")


def _gate(result: GateResult) -> str:
    status = "FAIL" if result.status == "fail" else "can't tell"
    return f"{status}: gate {result.name}: {result.says}"


def _metrics(report: Report) -> list[str]:
    """Of the model first, of a baseline last."""
    now = report.history[-1][1]
    names = sorted(now, key=lambda name: name.startswith("baseline."))
    changes = {one.name: one for one in report.differences.metrics} if report.before else {}
    lines = []
    for name in names[:MOST_METRICS]:
        change = changes.get(name)
        beside = (
            f"; {change.difference:+.4g} ({judgement(change)})"
            if change and change.difference is not None
            else ""
        )
        lines.append(f"{name} {_value(now[name])}{beside}")
    return lines + _more(len(names) - MOST_METRICS, "metric")


def _value(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return number(metric.value)
    return f"{number(metric.value)} ({number(metric.low)} to {number(metric.high)})"


def _more(count: int, noun: str) -> list[str]:
    return [f"and {count} more {noun}{'s' if count > 1 else ''}"] if count > 0 else []
