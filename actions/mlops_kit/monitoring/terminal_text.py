"""The result of `monitor check` and of `monitor calibrate` as the terminal prints it."""

import math

from mlops_kit.alerts.kinds import KINDS
from mlops_kit.monitoring.calibrate import Calibrated
from mlops_kit.monitoring.check import Checked
from mlops_kit.monitoring.checks.concept_drift import ConceptDrift
from mlops_kit.monitoring.checks.infrastructure import Infrastructure
from mlops_kit.monitoring.checks.trainings import Trainings
from mlops_kit.statistics.intervals import Estimate

OWN_TEXT = {"data_drift", "concept_drift", "infrastructure", "trainings", "training_data"}  # checks
UNITS = "(sd of a number, share of the rows of a category)"


def of_calibration(calibrated: Calibrated) -> str:
    name = calibrated.version or "the rows here (no version yet)"
    lines = [
        f"Calibrated on {name}: {calibrated.rows:,} rows, {len(calibrated.columns)} columns. At most one false alarm in 100 checks."
    ]
    for n, visible in calibrated.visible.items():
        lines.append(f"  window of {n:>6,} rows, change that 4 of 5 windows show: {shows(visible)}")
    if calibrated.run > 1:
        lines.append(f"  neighbouring rows are autocorrelated: resampled in blocks of {calibrated.run} rows")
    return "\n".join([*lines, f"  {UNITS}", *(f"  {note}" for note in calibrated.notes)])


def of_check(checked: Checked) -> str:
    against = checked.version or "the rows here (no version yet)"
    lines = [f"{checked.window} against {against}"] if checked.window else []
    state_of_data = (
        "not connected (no predictions log)" if checked.data.state == "not connected" else checked.data.state
    )
    lines.append(f"Data drift: {state_of_data}" + (f" (n = {checked.data.n:,})" if checked.window else ""))
    if checked.data.compared < checked.data.n:
        lines.append(
            f"  compared: a random sample of {checked.data.compared:,} rows; with this reference, more rows would not show more"
        )
    lines += [
        f"  {one.column}: {one.what}; {one.by:.1%} of the rows moved (n = {one.n:,})"
        for one in checked.data.drifts
    ]
    lines += [f"  schema: {one.column} ({one.kind}) {one.what}" for one in checked.data.changes]
    if checked.data.visible:
        lines.append(f"  change that 4 of 5 such windows show: {shows(checked.data.visible)} {UNITS}")
    lines += [f"  {note}" for note in checked.data.notes]
    parts = [*_of_concept(checked.concept), *_of_infrastructure(checked.infrastructure)]
    parts += (
        []
        if checked.window and checked.training == Trainings("not connected")
        else _of_training(checked.training)
    )
    moved = [f"  alarm: {one.what}" for one in checked.succession or []]
    others = [one for one in checked.findings if KINDS[one.kind].judged_by not in OWN_TEXT]
    moved += [f"Alarm: {KINDS[one.kind].title}: {one.what}" for one in others]
    return "\n".join([*lines, *parts, *moved])


def shows(visible: dict[str, float | None]) -> str:
    """The smallest visible change in the most sensitive column, in the median one and in the least sensitive one."""
    if not any(visible.values()):
        return "no change that was tried, in any column"
    in_order = sorted(visible.items(), key=lambda pair: math.inf if pair[1] is None else pair[1])
    chosen = dict.fromkeys([0, len(in_order) // 2, len(in_order) - 1])
    texts = [
        f"{name} {'no change that was tried' if size is None else f'{size:g}'}"
        for name, size in (in_order[at] for at in chosen)
    ]
    return ", ".join(texts)


def _of_concept(concept: ConceptDrift) -> list[str]:
    if concept.state == "not connected":
        return [f"Concept drift: not connected ({', '.join(concept.notes) or 'no predictions log'})"]
    labelled = f"{concept.labelled:,} of {concept.predictions:,} predictions have a label"
    preposition = "since" if concept.state in ("unknown", "drift") else "until"
    since = f" {preposition} {concept.since}" if concept.since else ""
    lines = [f"Concept drift: {concept.state}{since} ({labelled})"]
    if concept.figure:
        lines.append(f"  {concept.metric} {_figure(concept.figure)}")
    if concept.happened:
        lines.append(f"  share of positives {_figure(concept.happened, 'predicted')}")
    lines += [f"  loss, {name}: {_figure(one)}" for name, one in concept.slices.items()]
    lines += [f"  {concept.watched.what}"] if concept.watched and concept.watched.explained else []
    return [
        *lines,
        *(f"  alarm: {one.what}" for one in concept.alarms),
        *(f"  {one}" for one in concept.notes),
    ]


def _figure(estimate: Estimate, beside: str = "reference") -> str:
    reference = "" if estimate.reference is None else f"; {beside} {estimate.reference:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f}, n = {estimate.n:,}{reference})"


def _of_infrastructure(service: Infrastructure) -> list[str]:
    if service.state == "not connected":
        return ["Infrastructure: not connected (no predictions log)"]
    lines = [f"Infrastructure: {service.state} ({service.rows:,} predictions, {service.errors:,} failed)"]
    if service.p95_seconds is not None:
        lines.append(f"  latency p50 {service.p50_seconds:.3g} s, p95 {service.p95_seconds:.3g} s")
    if service.rows_an_hour is not None:
        lines.append(f"  {service.rows_an_hour:,} predictions an hour")
    if service.age_hours is not None:
        lines.append(f"  the newest prediction is {service.age_hours:,} hours old")
    if service.memory_mb is not None:
        lines.append(f"  memory {service.memory_mb:,.0f} MB")
    if service.disk_free_share is not None:
        lines.append(f"  {service.disk_free_share:.0%} of the disk is free")
    lines += [f"  {service.broken} lines of the log are not readable"] if service.broken else []
    return [*lines, *(f"  alarm: {one.what}" for one in service.alarms)]


def _of_training(trainings: Trainings) -> list[str]:
    used = (
        f"; {trainings.version} is in production, {trainings.age_days} days old" if trainings.version else ""
    )
    if not trainings.run:
        return [f"Training: no run on main yet{used}"]
    lines = [f"Training: {trainings.state} (newest run {trainings.started[:10]}: {trainings.status}{used})"]
    return [*lines, *(f"  alarm: {one.what}" for one in trainings.alarms)]
