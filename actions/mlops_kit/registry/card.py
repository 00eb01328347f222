"""The model card of a version, made from its record alone."""

from typing import Any

from mlops_kit.base.markdown import code, number, plain, size, table
from mlops_kit.data.metrics_file import Metric, all_metrics
from mlops_kit.versions import tags
from mlops_kit.versions.differences import SLICES
from mlops_kit.versions.gate_results import shown
from mlops_kit.versions.record import File, Record

MOST_SLICES, MOST_COLUMNS = 60, 6
MARKS = {"pass": "✅ pass", "fail": "❌ fail", "unknown": "❔ can't tell", "removed": "⚠️ removed"}
ON_NO_BRANCH = (
    "The commit of this tag is on no branch, and GitHub says so: this is meant, it holds what belongs to this "
    "version only (lock, metrics, record and this card)."
)


def card(record: Record, about: str = "") -> str:
    """Markdown. `about` is the team's own sentence of what the model predicts and for whom."""
    name = f"{record.model} {record.version or '(not registered)'}"
    parts = {
        "": [f"# {plain(name)}", plain(about, 1000) or f"A model named {code(record.model)}."],
        "What it learned from": [_data(record.data), f"Code: commit {code(record.code.commit[:12])}."],
        "How good it is": [metrics_table(record.metrics), _slices(record.metrics)],
        "Gates": [gates_table(record.gates), _measurements(record.measured)],
        "Limits": limits(record),
        "How to get it": [_get(record)],
        "What changed": [record.description],
    }
    sections = [
        [f"## {head}"] * bool(head) + [line for line in lines if line] for head, lines in parts.items()
    ]
    return "\n\n".join(line for lines in sections if len(lines) > 1 for line in lines) + "\n"


def _data(files: list[File]) -> str:
    rows = [[code(one.path), number(one.rows), size(one.bytes), code(one.md5)] for one in files]
    rows = [["?" if cell == "None" else cell for cell in row] for row in rows]
    return table(["data", "rows", "bytes", "version (md5)"], rows, (1, 2)) if rows else ""


def metrics_table(metrics: dict[str, Any]) -> str:
    shown = all_metrics({key: value for key, value in metrics.items() if key != SLICES})
    rows = [[code(name), number(one.value), interval(one), count(one)] for name, one in shown.items()]
    return table(["metric", "value", "interval", "rows"], rows, (1, 2, 3)) if rows else ""


def interval(figure: Metric) -> str:
    if figure.low is None or figure.high is None:
        return "none"
    return f"{number(figure.low)} to {number(figure.high)}"


def count(figure: Metric) -> str:
    return "?" if figure.n is None else f"{figure.n:,}"


def _slices(metrics: dict[str, Any]) -> str:
    columns = metrics.get(SLICES) or {}
    return "\n\n".join(_column(name, values) for name, values in columns.items() if isinstance(values, dict))


def _column(name: str, values: dict[str, Any]) -> str:
    """A row for each value, a column for each metric."""
    metrics_by_value = {
        value: all_metrics(inner) for value, inner in values.items() if isinstance(inner, dict)
    }
    judged = {value: inner for value, inner in metrics_by_value.items() if inner}
    shown = list(dict.fromkeys(metric for inner in judged.values() for metric in inner))[:MOST_COLUMNS]
    rows = [
        [code(value), str(values[value].get("n", "?")), *(_cell(inner.get(metric)) for metric in shown)]
        for value, inner in list(judged.items())[:MOST_SLICES]
    ]
    left = len(judged) - MOST_SLICES
    more = f"\n\nand {left:,} more in the metrics file." if left > 0 else ""
    return (
        table([code(name), "rows", *map(code, shown)], rows, range(1, 2 + len(shown))) + more if rows else ""
    )


def _cell(figure: Metric | None) -> str:
    if figure is None:
        return ""
    return number(figure.value) + (f" ({interval(figure)})" if figure.low is not None else "")


def gates_table(gates: list[dict[str, Any]]) -> str:
    rows = [
        [
            code(gate.get("name")),
            MARKS[shown(gate.get("kind"), gate.get("status"))],
            plain(gate.get("says")),
        ]
        for gate in gates
    ]
    return table(["gate", "result", "why"], rows) if rows else "No gates are set in `mlops.yaml`."


def _measurements(measured: dict[str, Any]) -> str:
    return "\n".join(f"- {plain(name)}: {plain(value)}" for name, value in measured.items())


def limits(record: Record) -> list[str]:
    """What the figures do not cover, as far as the record shows it."""
    lines = [
        "- The figures hold for rows like the evaluated ones; whether today's are is what monitoring asks."
    ]
    if without := [name for name, one in all_metrics(record.metrics).items() if one.low is None]:
        named = ", ".join(code(name) for name in without[:5])
        lines.append(f"- Without an interval, so of unknown precision: {named}.")
    for column, values in (record.metrics.get(SLICES) or {}).items():
        few = [name for name, one in values.items() if isinstance(one, dict) and not all_metrics(one)]
        if few:
            named = ", ".join(code(name) for name in few[:8])
            lines.append(f"- Slices of {code(column)} with too few rows to judge: {named}.")
    if [gate for gate in record.gates if gate.get("status") == "unknown"]:
        lines.append("- A gate could not tell; see above.")
    return ["\n".join(lines)]


def _get(record: Record) -> str:
    if record.version is None:
        return "It was not registered, so no tag holds it."
    tag = tags.version_tag(record.model, record.version)
    way = f"    git checkout {tag} && dvc pull    # code, data, parameters, metrics and model\n"
    return f"{way}    mlops-kit pull {record.version}    # data and model into your working copy\n\n{ON_NO_BRANCH}"
