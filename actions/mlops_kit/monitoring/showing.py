"""What an issue shows of a check, a kind of alarm each: tables and the plots that GitHub draws from text."""

from mlops_kit.markup import code, number, plain, table
from mlops_kit.monitoring import wording
from mlops_kit.monitoring.checking import Checked
from mlops_kit.monitoring.figures import Figure
from mlops_kit.monitoring.findings import Kind
from mlops_kit.monitoring.operation import Operation
from mlops_kit.monitoring.outcome import Outcome
from mlops_kit.monitoring.quality import Concept
from mlops_kit.monitoring.seasons import MAY_BE
from mlops_kit.monitoring.shares import Group
from mlops_kit.summary import PALETTE, plain_number, safe

MOST_COLUMNS, MOST_SLICES = 20, 10


def outcome(found: Checked, run: str, again: str) -> Outcome:
    shown: dict[Kind, str] = {}
    for kind in dict.fromkeys(one.kind for one in found.findings):
        if text := _shown(kind, found):
            shown[kind] = text
    return Outcome(found.at, found.version, found.window, found.findings, found.judged, run, shown, again)


def _shown(kind: Kind, found: Checked) -> str:
    if kind == "data-drift":
        return _drift(found)
    if kind == "predictions-moved":
        seasons = [note for note in found.data.notes if note.endswith(MAY_BE)]
        return "\n\n".join([_concept(found.concept), *map(_sentence, seasons)])
    if kind in ("concept-drift", "no-labels"):
        return _concept(found.concept)
    if kind in ("errors", "latency", "memory", "disk", "silence", "clock"):
        return _operation(found.infrastructure)
    return ""


def _drift(found: Checked) -> str:
    rows = [
        [code(one.column), plain(one.what), f"{one.by:.1%}", f"{one.n:,}"]
        for one in found.data.drifts[:MOST_COLUMNS]
    ]
    left = len(found.data.drifts) - len(rows)
    notes = [f"{left} more columns moved."] if left > 0 else []
    if found.data.visible:
        notes.append(
            f"A change that 4 of 5 such windows show: {plain(wording.shows(found.data.visible), 400)} {wording.UNITS}."
        )
    predictions = found.concept.watched
    notes += [f"And {plain(predictions.what)}."] if predictions and predictions.explained else []
    notes += [_sentence(note) for note in found.data.notes]
    plots = [
        f"{code(name)}: reference (bars), window (line)\n\n{_bars(name, groups)}"
        for name, groups in found.shares.items()
    ]
    return "\n\n".join([table(["column", "moved", "rows moved", "n"], rows, (2, 3)), *notes, *plots])


def _sentence(note: str) -> str:
    said = plain(note)
    return f"{said[:1].upper()}{said[1:]}."


def _bars(name: str, groups: list[Group]) -> str:
    names = ", ".join(f'"{safe(one.name)}"' for one in groups)
    top = max(max(one.reference, one.window) for one in groups) * 1.1
    return "\n".join(
        [
            "```mermaid",
            PALETTE,
            "xychart-beta",
            f'  title "{safe(name)}"',
            f"  x-axis [{names}]",
            f'  y-axis "share of the rows" 0 --> {plain_number(top)}',
            f"  bar [{', '.join(plain_number(one.reference) for one in groups)}]",
            f"  line [{', '.join(plain_number(one.window) for one in groups)}]",
            "```",
        ]
    )


def _concept(found: Concept) -> str:
    head = ["", "now", "99 % interval", "rows", "reference"]
    rows = [_figure(found.metric, found.figure)] if found.figure else []
    rows += [_figure("positive (reference: predicted)", found.happened)] if found.happened else []
    rows += [_figure("mean loss", found.loss)] if found.loss else []
    worst = sorted(found.slices.items(), key=lambda pair: -pair[1].value)[:MOST_SLICES]
    rows += [_figure(f"mean loss, {name}", one) for name, one in worst]
    said = f"{found.labelled:,} of {found.predictions:,} predictions have a label."
    return f"{said}\n\n{table(head, rows, (1, 2, 3, 4))}" if rows else said


def _figure(name: str, one: Figure) -> list[str]:
    was = "" if one.reference is None else number(one.reference)
    return [code(name), number(one.value), f"{number(one.low)} to {number(one.high)}", f"{one.n:,}", was]


def _operation(found: Operation) -> str:
    facts = {
        "predictions": f"{found.rows:,}",
        "failed": f"{found.errors:,}",
        "latency p50": "" if found.p50_seconds is None else f"{found.p50_seconds:.3g} s",
        "latency p95": "" if found.p95_seconds is None else f"{found.p95_seconds:.3g} s",
        "predictions an hour": "" if found.rows_an_hour is None else f"{found.rows_an_hour:,}",
        "the newest": found.newest[:16].replace("T", " "),
    }
    return table(["", ""], [[name, value] for name, value in facts.items() if value], (1,))
