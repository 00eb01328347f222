"""One check: the inputs, the relation and what runs, each with its own verdict."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mlops_kit.contract import Contract
from mlops_kit.errors import KitError
from mlops_kit.monitoring import drift, labels, operation, quality, windows
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.drift import Data
from mlops_kit.monitoring.operation import Operation
from mlops_kit.monitoring.quality import Concept, Figure
from mlops_kit.monitoring.reference import Reference
from mlops_kit.monitoring.windows import Window
from mlops_kit.repository import Repository

Say = Callable[[str], None]
UNITS = "(sd of a number, share of the rows of a category)"


@dataclass(frozen=True)
class Checked:
    version: str  # empty: before the first, what is here
    window: str
    data: Data
    concept: Concept
    infrastructure: Operation

    @property
    def alarms(self) -> bool:
        return bool(self.data.alarms or self.concept.alarms or self.infrastructure.alarms)


@dataclass(frozen=True)
class Calibrated:
    version: str
    rows: int
    columns: list[str]
    not_compared: list[str]
    visible: dict[int, dict[str, float | None]] = field(default_factory=dict)  # by rows of the window
    run: int = 1  # rows that are drawn together
    notes: list[str] = field(default_factory=list)


def calibrate(repository: Repository, contract: Contract, say: Say) -> Calibrated:
    return calibrated(references.load(repository, contract, say, anew=True))


def calibrated(made: Reference) -> Calibrated:
    visible = {n: drift.visible(made.cells, limits) for n, limits in made.limits.items()}
    run = made.resampling.run
    notes = [
        "like the reference means: drawn from its rows at random; what comes with a season that it does not hold is drift"
    ]
    if made.times is None:
        notes.append(
            "no time column is named (monitoring.time): rows are taken to be independent of each other"
        )
    return Calibrated(
        made.version, made.rows, [one.name for one in made.cells], made.other, visible, run, notes
    )


def check(repository: Repository, contract: Contract, where: str, labelled: str | None, say: Say) -> Checked:
    """`labelled`: where labels are, instead of what mlops.yaml says."""
    reference = references.load(repository, contract, say)
    ours = contract.monitoring
    say(f"read {where}")
    window = windows.read(where, reference.largest, ours.slices)
    if not window.rows and not window.is_log:
        raise KitError(f"{where} has no rows.")
    window.notes += windows.repeated(window, contract.rows.key if contract.rows else "key")
    data = drift.check(reference, window, time=ours.time, ignored=references.left_out(contract))
    log = window if window.is_log else _log(repository, contract, reference)
    facts = log.facts if log else None
    source = labelled or ours.labels
    key = contract.rows.key if contract.rows else "key"
    came = labels.read(source, key, ours.label) if source and facts is not None else None
    concept = quality.check(reference, facts, came, contract.predictions, ours)
    return Checked(
        reference.version, where, data, concept, operation.check(facts, log.broken if log else 0, ours)
    )


def _log(repository: Repository, contract: Contract, reference: Reference) -> Window | None:
    """None before the first prediction."""
    where = contract.monitoring.log
    if where is None:
        return None
    if "://" in where:
        return windows.read(where, reference.largest, contract.monitoring.slices)
    path = str(repository.root / Path(where).expanduser())
    if not windows.found_at(path):
        return None
    return windows.read(path, reference.largest, contract.monitoring.slices)


# ---- in words ----


def calibration_in_words(made: Calibrated) -> str:
    name = made.version or "the rows here (no version yet)"
    lines = [
        f"Calibrated on {name}: {made.rows:,} rows, {len(made.columns)} columns; one false alarm in 100 checks at most."
    ]
    for n, visible in made.visible.items():
        lines.append(f"  of {n:>6,} rows, a change seen 4 in 5 times: {_shows(visible)}")
    if made.run > 1:
        lines.append(f"  rows follow each other: drawn {made.run} at a time")
    return "\n".join([*lines, f"  {UNITS}", *(f"  {note}" for note in made.notes)])


def in_words(found: Checked) -> str:
    against = found.version or "the rows here (no version yet)"
    lines = [f"{found.window} against {against}", f"Data: {found.data.state} (n = {found.data.n:,})"]
    if found.data.compared < found.data.n:
        lines.append(
            f"  compared: {found.data.compared:,} of them, drawn evenly; more says no more beside this reference"
        )
    lines += [
        f"  {one.column}: {one.what}; {one.by:.1%} of the rows moved (n = {one.n:,})"
        for one in found.data.drifts
    ]
    lines += [f"  schema: {one.column} ({one.kind}) {one.what}" for one in found.data.changes]
    if found.data.visible:
        lines.append(f"  a change seen in 4 of 5 such windows: {_shows(found.data.visible)} {UNITS}")
    lines += [f"  {note}" for note in found.data.notes]
    return "\n".join([*lines, *_of_concept(found.concept), *_of_operation(found.infrastructure)])


def _shows(visible: dict[str, float | None]) -> str:
    """From what change on it is seen, in the column where it is seen first, in the middle one and in the last."""
    in_order = sorted(visible.items(), key=lambda pair: math.inf if pair[1] is None else pair[1])
    chosen = dict.fromkeys([0, len(in_order) // 2, len(in_order) - 1])
    said = [
        f"{name} {'none that was tried' if size is None else f'{size:g}'}"
        for name, size in (in_order[at] for at in chosen)
    ]
    return ", ".join(said)


def _of_concept(found: Concept) -> list[str]:
    if found.state == "not connected":
        return ["Concept: not connected (no predictions log)"]
    known = f"{found.labelled:,} of {found.predictions:,} predictions have a label"
    preposition = "since" if found.state in ("unknown", "drift") else "until"
    since = f" {preposition} {found.since}" if found.since else ""
    lines = [f"Concept: {found.state}{since} ({known})"]
    if found.figure:
        lines.append(f"  {found.metric} {_figure(found.figure)}")
    if found.happened:
        lines.append(f"  happened {_figure(found.happened, 'predicted')}")
    lines += [f"  loss, {name}: {_figure(one)}" for name, one in found.slices.items()]
    return [*lines, *(f"  alarm: {one.what}" for one in found.alarms), *(f"  {one}" for one in found.notes)]


def _figure(one: Figure, beside: str = "reference") -> str:
    was = "" if one.reference is None else f"; {beside} {one.reference:.3f}"
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f}, n = {one.n:,}{was})"


def _of_operation(found: Operation) -> list[str]:
    if found.state == "not connected":
        return ["Infrastructure: not connected (no predictions log)"]
    lines = [f"Infrastructure: {found.state} ({found.rows:,} predictions, {found.errors:,} failed)"]
    if found.p95_seconds is not None:
        lines.append(f"  latency p50 {found.p50_seconds:.3g} s, p95 {found.p95_seconds:.3g} s")
    if found.rows_an_hour is not None:
        lines.append(f"  {found.rows_an_hour:,} predictions an hour")
    if found.age_hours is not None:
        lines.append(f"  the newest is {found.age_hours:,} hours old")
    if found.memory_mb is not None:
        lines.append(f"  memory {found.memory_mb:,.0f} MB")
    if found.disk_free_share is not None:
        lines.append(f"  {found.disk_free_share:.0%} of the disk is free")
    lines += [f"  {found.broken} lines of the log cannot be read"] if found.broken else []
    return [*lines, *(f"  alarm: {one.what}" for one in found.alarms)]
