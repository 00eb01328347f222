"""The report as Markdown: in a pull request's comment, in a run's summary, in a file."""

from collections.abc import Iterable
from dataclasses import replace

from mlops_kit.base.markdown import code, number, plain, table
from mlops_kit.base.mermaid import PALETTE, plain_number, safe
from mlops_kit.registry.card import MARKS, count, interval
from mlops_kit.reports.bars import bar, scale
from mlops_kit.reports.curves import Curve
from mlops_kit.reports.report import Report, Slice
from mlops_kit.versions.description import in_words, judgement
from mlops_kit.versions.differences import MetricChange

LONGEST = 60_000  # GitHub takes 65,536 characters in a comment
MOST_METRICS, MOST_GATES, WORST, MOST_BARS = 30, 50, 6, 12


MARK = {True: "✅", False: "❌", None: "❔"}


def markdown(report: Report) -> str:
    """The report as Markdown. Sections that would make it too long for GitHub are left out and listed."""
    sections = {
        "Gates": _gates(report),
        "Metrics": _metrics(report),
        "What changed": _changes(report),
        "Slices": _slices(report),
        "Plots": _plots(report.curves),
        "Took": _took(report),
    }
    text, left_out = head(report), []
    for name, body in sections.items():
        section = f"\n\n### {name}\n\n{body}" if body else ""
        if len(text) + len(section) > LONGEST:
            left_out.append(name.lower())
        else:
            text += section
    if left_out:
        text += f"\n\nToo long for a comment, see report.html: {', '.join(left_out)}."
    return text + (f"\n\n[The run and its logs]({report.link})" if report.link else "") + "\n"


def head(report: Report) -> str:
    """Two lines: the verdict, and what it was trained on."""
    lines = [f"## {MARK[report.is_open]} {plain(report.model)}: {report.verdict_in_words}"]
    if report.training:
        lines.append(f"**{plain(report.training.heading)}**")
    if report.verdict is None:
        lines.append("The gates were not run yet: `mlops-kit gate`.")
    return "\n\n".join(lines)


def _gates(report: Report) -> str:
    results = report.verdict.results if report.verdict else []
    rows = [
        [
            code(one.name),
            MARKS[one.shown],
            plain(one.says, 300)
            + (f" ⚠️ loosened by this change: {plain(one.loosened)}" if one.loosened else ""),
        ]
        for one in results[:MOST_GATES]
    ]
    return table(["gate", "result", "why"], rows) if rows else ""


def _metrics(report: Report) -> str:
    shown = report.differences.metrics[:MOST_METRICS]
    if report.before is None:
        figures = list(report.history[-1][1].items())[:MOST_METRICS]
        rows = [[code(name), number(one.value), interval(one), count(one)] for name, one in figures]
        return table(["metric", "now", "interval", "rows"], rows, (1, 2, 3))
    rows = [[code(one.name), *_values(one)] for one in shown]
    return table(["metric", plain(report.before.version), "now", "difference", ""], rows, (1, 2, 3))


def _values(change: MetricChange) -> list[str]:
    old, new = ("" if one is None else number(one.value) for one in (change.before, change.after))
    if change.difference is None:
        return [old, new, "", "new" if change.before is None else "no longer measured"]
    if change.difference == 0:
        return [old, new, "0", "the same"]
    return [old, new, f"{change.difference:+.4g}", judgement(change)]


def _changes(report: Report) -> str:
    """The description without the metrics, which have their own table."""
    return in_words(replace(report.differences, metrics=[], slices=[]))


# ---- slices ----


def _slices(report: Report) -> str:
    return "\n\n".join(_column(group) for group in by_column(report.slices))


def by_column(slices: Iterable[Slice]) -> list[list[Slice]]:
    groups: dict[str, list[Slice]] = {}
    for slice_ in slices:
        groups.setdefault(slice_.column, []).append(slice_)
    return list(groups.values())


def _column(group: list[Slice]) -> str:
    """The worst ones, with a bar each on the column's common scale."""
    judged = [one for one in group if one.figure]
    few = len(group) - len(judged)
    name, metric = code(group[0].column), code(group[0].metric)
    if not judged:
        return f"{name}: {few} slices, all with too few rows to judge."
    low, high = scale([one.figure for one in judged if one.figure])
    rows = [
        [code(one.value), f"{one.n or 0:,}", number(one.figure.value), f"`{bar(one.figure, low, high)}`"]
        for one in judged[:WORST]
        if one.figure
    ]
    worst = f"Worst of {len(judged)} by {metric}" + (
        f"; {few} more have too few rows to judge" if few else ""
    )
    ends = f"{number(low)} to {number(high)}"
    return f"{worst}.\n\n" + table([name, "rows", metric, ends], rows, (1, 2))


# ---- plots: mermaid is the one kind that GitHub draws from text ----


def _plots(curves: list[Curve]) -> str:
    drawn = [(curve, mermaid(curve)) for curve in curves]
    return "\n\n".join(
        f"<details><summary>{plain(curve.title)}</summary>\n\n```mermaid\n{text}\n```\n\n</details>"
        for curve, text in drawn
        if text
    )


def mermaid(curve: Curve) -> str:
    """Empty for what it cannot draw."""
    if curve.kind == "bars":
        return _bars(curve)
    if curve.kind == "line" and len(curve.x) > 1 and max(curve.x) > min(curve.x):
        return _line(curve)
    return ""


def _line(curve: Curve) -> str:
    """A line chart at equal steps of x: Mermaid has no others."""
    import numpy as np

    order = np.argsort(curve.x, kind="stable")
    xs, ys = np.asarray(curve.x, dtype=float)[order], np.asarray(curve.y, dtype=float)[order]
    at = np.linspace(xs[0], xs[-1], 26)
    lines = [np.interp(at, xs, ys), *([at] if curve.diagonal else [])]
    low, high = min(0.0, float(ys.min())), max(1.0, float(ys.max())) if curve.diagonal else float(ys.max())
    top = high if high > low else low + 1
    drawn = [f"  line [{', '.join(map(plain_number, line))}]" for line in lines]
    return "\n".join(
        [
            PALETTE,
            "xychart-beta",
            f'  title "{safe(curve.title)}"',
            f'  x-axis "{safe(curve.x_label)}" {plain_number(xs[0])} --> {plain_number(xs[-1])}',
            f'  y-axis "{safe(curve.y_label)}" {plain_number(low)} --> {plain_number(top)}',
            *drawn,
        ]
    )


def _bars(curve: Curve) -> str:
    pairs = sorted(zip(curve.x, curve.y, strict=True), key=lambda pair: -pair[0])[:MOST_BARS]
    names = ", ".join(f'"{safe(str(name))}"' for _, name in pairs)
    values = ", ".join(plain_number(value) for value, _ in pairs)
    title = f'  title "{safe(curve.title)}"'
    axes = [f"  x-axis [{names}]", f'  y-axis "{safe(curve.x_label)}"', f"  bar [{values}]"]
    return "\n".join([PALETTE, "xychart-beta horizontal", title, *axes])


def _took(report: Report) -> str:
    if report.training is None:
        return ""
    stages = ", ".join(f"{code(name)} {plain(status)}" for name, status in report.training.stages.items())
    steps = ", ".join(f"{plain(name)} {seconds:.1f} s" for name, seconds in report.steps.items())
    whole = f"Training took {report.training.seconds:.1f} s" + (f": {stages}." if stages else ".")
    return whole + (f" Steps: {steps}." if steps else "")
