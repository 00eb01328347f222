"""What the issue of an alarm shows beside its findings: tables, and plots that GitHub draws from Mermaid text."""

from collections.abc import Callable

from mlops_kit.alerts.kinds import KINDS, Kind
from mlops_kit.alerts.outcome import Outcome
from mlops_kit.base.markdown import code, number, plain, table
from mlops_kit.base.mermaid import PALETTE, plain_number, safe
from mlops_kit.monitoring import terminal_text
from mlops_kit.monitoring.check import Checked
from mlops_kit.monitoring.checks.concept_drift import ConceptDrift
from mlops_kit.monitoring.checks.histograms import LOWER, Group
from mlops_kit.monitoring.checks.infrastructure import Infrastructure
from mlops_kit.monitoring.checks.seasons import MAY_BE
from mlops_kit.monitoring.checks.trend import Trend
from mlops_kit.statistics.intervals import Estimate

MOST_COLUMNS, MOST_SLICES = 20, 10
ROOM = 80  # letters below the bars of a plot; longer labels would overlap


def outcome(checked: Checked, run: str, again: str) -> Outcome:
    shown: dict[Kind, str] = {}
    for kind in dict.fromkeys(one.kind for one in checked.findings):
        if text := _details(kind, checked):
            shown[kind] = text
    return Outcome(
        checked.at, checked.version, checked.window, checked.findings, checked.judged, run, shown, again
    )


def _details(kind: Kind, checked: Checked) -> str:
    """What the issue shows beside its findings; empty for a kind whose findings say everything."""
    show = BY_CHECK.get(KINDS[kind].judged_by)
    return show(kind, checked) if show else ""


def _data_drift(kind: Kind, checked: Checked) -> str:
    return _drift(checked) if kind == "data-drift" else ""


def _concept_drift(kind: Kind, checked: Checked) -> str:
    if kind == "predictions-moved":
        return _predictions(checked)
    trend = checked.concept.course if kind == "concept-drift" else None
    return _with_trend(_concept(checked.concept), trend, "reference")


def _infrastructure(kind: Kind, checked: Checked) -> str:
    return _with_trend(_traffic(checked.infrastructure), checked.infrastructure.course.get(kind), "limit")


BY_CHECK: dict[str, Callable[[Kind, Checked], str]] = {
    "data_drift": _data_drift,
    "concept_drift": _concept_drift,
    "infrastructure": _infrastructure,
}


def _predictions(checked: Checked) -> str:
    seasons = [note for note in checked.data.notes if note.endswith(MAY_BE)]
    watched = checked.concept.watched
    plots = _plots({watched.name: watched.shares}) if watched and watched.shares else []
    return "\n\n".join([_concept(checked.concept), *map(_sentence, seasons), *plots])


def _with_trend(text: str, trend: Trend | None, usual: str) -> str:
    if trend is None:
        return text
    line = f", {usual} (line)" if trend.usual is not None else ""
    names, values = [name for name, _ in trend.points], [value for _, value in trend.points]
    beside = None if trend.usual is None else [trend.usual] * len(values)
    plot = _chart(trend.label, names, trend.label, values, beside)
    return f"{text}\n\n{trend.label} (bars){line}, by the time (UTC)\n\n{plot}"


def _drift(checked: Checked) -> str:
    rows = [
        [code(one.column), plain(one.what), f"{one.by:.1%}", f"{one.n:,}"]
        for one in checked.data.drifts[:MOST_COLUMNS]
    ]
    left = len(checked.data.drifts) - len(rows)
    notes = [f"{left} more columns moved."] if left > 0 else []
    if checked.data.visible:
        notes.append(
            f"A change that 4 of 5 such windows show: {plain(terminal_text.shows(checked.data.visible), 400)} {terminal_text.UNITS}."
        )
    predictions = checked.concept.watched
    notes += [f"And {plain(predictions.what)}."] if predictions and predictions.explained else []
    notes += [_sentence(note) for note in checked.data.notes]
    moved = table(["column", "moved", "rows moved", "n"], rows, (2, 3))
    return "\n\n".join([moved, *notes, *_plots(checked.shares)])


def _plots(shares: dict[str, list[Group]]) -> list[str]:
    return [
        f"{code(name)}: reference (bars), window (line){_from(groups)}\n\n{_bars(name, groups)}"
        for name, groups in shares.items()
    ]


def _from(groups: list[Group]) -> str:
    return ", each from its value on" if groups[0].name == LOWER else ""


def _sentence(note: str) -> str:
    text = plain(note)
    return f"{text[:1].upper()}{text[1:]}."


def _bars(name: str, groups: list[Group]) -> str:
    before, now = [one.reference for one in groups], [one.window for one in groups]
    return _chart(name, [one.name for one in groups], "share of the rows", before, now)


def _chart(
    title: str, names: list[str], label: str, bars: list[float], line: list[float] | None = None
) -> str:
    top = max([*bars, *(line or [])]) * 1.1 or 1.0
    letters = max(ROOM // len(names), 5)
    labels = [_cut(safe(name), letters) for name in names]
    if len(set(labels)) < len(labels):  # Mermaid draws bars of one name in one place
        labels = [_cut(f"{at}. {safe(name)}", letters) for at, name in enumerate(names, 1)]
    quoted = ", ".join(f'"{name}"' for name in labels)
    series = [("bar", bars), ("line", line)] if line else [("bar", bars)]
    return "\n".join(
        [
            "```mermaid",
            PALETTE,
            "xychart-beta",
            f'  title "{safe(title)}"',
            f"  x-axis [{quoted}]",
            f'  y-axis "{safe(label)}" 0 --> {plain_number(top)}',
            *(f"  {mark} [{', '.join(map(plain_number, values or []))}]" for mark, values in series),
            "```",
        ]
    )


def _cut(name: str, room: int) -> str:
    return name if len(name) <= room else f"{name[: room - 2].rstrip()}.."


def _concept(concept: ConceptDrift) -> str:
    head = ["", "now", "99 % interval", "rows", "reference"]
    rows = [_row(concept.metric, concept.figure)] if concept.figure else []
    rows += [_row("positive (reference: predicted)", concept.happened)] if concept.happened else []
    rows += [_row("mean loss", concept.loss)] if concept.loss else []
    worst = sorted(concept.slices.items(), key=lambda pair: -pair[1].value)[:MOST_SLICES]
    rows += [_row(f"mean loss, {name}", one) for name, one in worst]
    text = f"{concept.labelled:,} of {concept.predictions:,} predictions have a label."
    return f"{text}\n\n{table(head, rows, (1, 2, 3, 4))}" if rows else text


def _row(name: str, estimate: Estimate) -> list[str]:
    reference = "" if estimate.reference is None else number(estimate.reference)
    return [
        code(name),
        number(estimate.value),
        f"{number(estimate.low)} to {number(estimate.high)}",
        f"{estimate.n:,}",
        reference,
    ]


def _traffic(service: Infrastructure) -> str:
    facts = {
        "predictions": f"{service.rows:,}",
        "failed": f"{service.errors:,}",
        "latency p50": "" if service.p50_seconds is None else f"{service.p50_seconds:.3g} s",
        "latency p95": "" if service.p95_seconds is None else f"{service.p95_seconds:.3g} s",
        "predictions an hour": "" if service.rows_an_hour is None else f"{service.rows_an_hour:,}",
        "the newest": service.newest[:16].replace("T", " "),
    }
    return table(["", ""], [[name, value] for name, value in facts.items() if value], (1,))
