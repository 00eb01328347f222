"""One function for each kind of gate. A gate that cannot be judged is `unknown`, which never passes.

The job that registers imports this module without NumPy and Arrow, so a function that needs them imports them itself.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.data import tables
from mlops_kit.data.metrics_file import Metric, metric_at, value_at
from mlops_kit.gates import measure
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import ChampionGate, Gate, LatencyGate, SizeGate, SlicesGate, ThresholdGate
from mlops_kit.versions import version as versions
from mlops_kit.versions.gate_results import Better, GateResult, Status

if TYPE_CHECKING:
    from mlops_kit.data.bootstrap import Difference


MB = 1_000_000


@dataclass
class Bench:
    """Inputs of the gates, and what they measure."""

    repository: Repository
    contract: Contract
    say: Say
    metrics: dict[str, Any]
    served: measure.Served | None = None
    measured: dict[str, Any] = field(default_factory=dict)
    better: Better = ""
    against: str = ""


Judge = Callable[[str, Any, Bench], GateResult]
GATES: dict[type[Gate], Judge] = {}  # filled by `judges`


def judges(section: type[Gate]) -> Callable[[Judge], Judge]:
    """Register the function that judges gates of this kind. It gets name, section and bench, and returns the result."""

    def register(judge: Judge) -> Judge:
        GATES[section] = judge
        return judge

    return register


def judged(name: str, gate: Gate, bench: Bench) -> GateResult:
    try:
        return GATES[type(gate)](name, gate, bench)
    except KitError as error:
        return _unknown(name, gate, error.what)


def by_metrics(bench: Bench) -> list[GateResult]:
    """Return the results of the gates that need only the metrics."""
    gates = bench.contract.gates.items()
    return [judged(name, gate, bench) for name, gate in gates if gate.needs_only_metrics]


def _result(
    name: str,
    gate: Gate,
    status: Status,
    says: str,
    value: float | None = None,
    bound: float | None = None,
    details: Mapping[str, Any] | None = None,
) -> GateResult:
    """NaN and infinity, which JSON does not have, become None."""
    return GateResult(
        name=name,
        kind=gate.kind,
        status=status,
        says=says,
        value=_finite(value),
        bound=_finite(bound),
        because=gate.because,
        details={key: _finite(detail) for key, detail in (details or {}).items()},
    )


def _unknown(name: str, gate: Gate, why: str, **more: Any) -> GateResult:
    return _result(name, gate, "unknown", f"can't tell: {why}", **more)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


# ---- threshold ----


@judges(ThresholdGate)
def threshold(name: str, gate: ThresholdGate, bench: Bench) -> GateResult:
    metric = metric_at(bench.metrics, gate.metric)
    if metric is None:
        return _unknown(name, gate, f"{gate.metric} is not in {bench.contract.metrics}")
    if not metric.is_number:
        return _result(name, gate, "fail", f"{gate.metric} is {metric.value}, which is not a number")
    if few := _few_rows(gate, metric, bench):
        return _unknown(name, gate, few, value=metric.value)
    if gate.interval and not metric.is_within:
        ends = f"{_number(metric.low)} to {_number(metric.high)}"
        says = f"{gate.metric} {_number(metric.value)} is outside of its own interval, {ends}"
        return _unknown(
            name, gate, says, value=metric.value, details={"low": metric.low, "high": metric.high}
        )
    bound = _bound(gate, bench)
    judged, end = _worse_end(gate, metric)
    passes = _holds(gate, judged, bound)
    says = f"{gate.metric} {_number(metric.value)}{end}, {_bound_in_words(gate, bound)}"
    details = {"judged": judged, "low": metric.low, "high": metric.high, "n": metric.n}
    status: Status = "pass" if passes else "fail"
    return _result(name, gate, status, says, metric.value, bound, details=details)


def _worse_end(gate: ThresholdGate, metric: Metric) -> tuple[float, str]:
    """The number that must hold, and the interval in words."""
    end = metric.low if gate.at_most is None else metric.high
    if not gate.interval or end is None:
        return metric.value, ""
    return end, f" ({_number(metric.low)} to {_number(metric.high)})"


def _bound(gate: ThresholdGate, bench: Bench) -> float:
    """The bound with its margin. Raises KitError if the metric that it names is missing or no number."""
    named = gate.at_least if gate.at_most is None else gate.at_most
    if isinstance(named, str):
        other = metric_at(bench.metrics, named)
        if other is None or not other.is_number:
            raise KitError(f"the bound {named} is {other.value if other else 'missing'}")
        named = other.value
    assert named is not None
    return named + gate.margin if gate.at_most is None else named - gate.margin


def _holds(gate: ThresholdGate, judged: float, bound: float) -> bool:
    """Equal is enough for a number, not for another metric: a constant model equals its baseline."""
    beyond = judged - bound if gate.at_most is None else bound - judged
    named = gate.at_least if gate.at_most is None else gate.at_most
    return beyond > 0 or (beyond == 0 and not isinstance(named, str))


def _few_rows(gate: ThresholdGate, metric: Metric, bench: Bench) -> str:
    """Why its rows are too few, or are not known where mlops.yaml asks for a number of them."""
    form = bench.contract.predictions
    n = (
        metric.n
        if metric.n is not None
        else tables.count(bench.repository.root / form.file)
        if form
        else None
    )
    if n is None:
        asked = "min_rows" in gate.model_fields_set
        return f"{gate.metric} has no number of rows (n), and min_rows is {gate.min_rows}" if asked else ""
    return "" if n >= gate.min_rows else f"{gate.metric} has {n} rows; min_rows is {gate.min_rows}"


def _bound_in_words(gate: ThresholdGate, bound: float) -> str:
    named = gate.at_least if gate.at_most is None else gate.at_most
    side = "at least" if gate.at_most is None else "at most"
    if isinstance(named, str):
        side = "above" if gate.at_most is None else "below"
    margin = f" and {_number(gate.margin)}" if gate.margin else ""
    return f"{side} {_number(bound)}" + (f" ({named}{margin})" if isinstance(named, str) else "")


# ---- slices ----


@judges(SlicesGate)
def slices(name: str, gate: SlicesGate, bench: Bench) -> GateResult:
    content = value_at(bench.metrics, gate.of)
    if not isinstance(content, dict):
        return _unknown(name, gate, f"{gate.of} is not in {bench.contract.metrics}")
    values, insufficient, unknown = _sort_slices(content, gate)
    details = {"values": values, "insufficient": insufficient, "without_value": unknown}
    few = f"; too few rows: {', '.join(insufficient)}" if insufficient else ""
    if unknown:
        says = f"{gate.metric} is not a number for {', '.join(unknown)}{few}"
        return _unknown(name, gate, says, details=details)
    if len(values) < 2:
        says = f"{len(values)} of {len(content)} slices have {gate.min_rows} rows; at least two are required{few}"
        return _unknown(name, gate, says, details=details)
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    gap = values[high] - values[low]
    ends = f"{low} {_number(values[low])}, {high} {_number(values[high])}"
    says = f"gap {_number(gap)} in {gate.metric} ({ends}), at most {_number(gate.gap_at_most)}{few}"
    status: Status = "pass" if gap <= gate.gap_at_most else "fail"
    return _result(name, gate, status, says, gap, gate.gap_at_most, details=details)


def _sort_slices(
    content: Mapping[str, Any], gate: SlicesGate
) -> tuple[dict[str, float], dict[str, int], list[str]]:
    """Values of the slices with enough rows, rows of the others, and those whose value is no number."""
    values: dict[str, float] = {}
    insufficient: dict[str, int] = {}
    unknown = []
    for value, inside in content.items():
        n = inside.get("n") if isinstance(inside, dict) else None
        metric = metric_at(inside, gate.metric) if isinstance(inside, dict) else None
        if not isinstance(n, int) or n < gate.min_rows:
            insufficient[str(value)] = n if isinstance(n, int) else 0
        elif metric is None or not metric.is_number:
            unknown.append(str(value))
        else:
            values[str(value)] = metric.value
    return values, insufficient, unknown


# ---- latency and size ----


@judges(LatencyGate)
def latency(name: str, gate: LatencyGate, bench: Bench) -> GateResult:
    try:
        measured = measure.latency(bench.repository, bench.contract, gate, bench.served)
    except KitError as error:
        if bench.served if gate.of == "server" else bench.contract.commands.latency:
            return _result(name, gate, "fail", error.what)
        return _unknown(name, gate, error.what)
    bench.measured.setdefault("latency", {})[name] = measured.as_json()
    status: Status = "pass" if measured.p95_seconds <= gate.p95_seconds_at_most else "fail"
    says = (
        f"p95 {_number(measured.p95_seconds)} s, p50 {_number(measured.p50_seconds)} s in {measured.n} predictions "
        f"of one row, p95 at most {gate.p95_seconds_at_most:g} s"
    )
    details = measured.as_json()
    bound = gate.p95_seconds_at_most
    return _result(name, gate, status, says, measured.p95_seconds, bound, details=details)


@judges(SizeGate)
def size(name: str, gate: SizeGate, bench: Bench) -> GateResult:
    bytes_of = measure.size(bench.repository, bench.contract)
    mb = sum(bytes_of.values()) / MB
    status: Status = "pass" if mb <= gate.mb_at_most else "fail"
    says = f"{mb:.2f} MB ({', '.join(bytes_of)}), at most {gate.mb_at_most:g} MB"
    return _result(name, gate, status, says, mb, gate.mb_at_most, details={"bytes": bytes_of})


def with_size(bench: Bench) -> dict[str, Any]:
    """Return the measurements with the size of the artifacts, which is recorded even without a size gate."""
    try:
        bytes_of = measure.size(bench.repository, bench.contract)
    except KitError:
        return bench.measured
    return bench.measured | {"size": {"bytes": sum(bytes_of.values()), "of": bytes_of}}


# ---- champion ----


@judges(ChampionGate)
def against_champion(name: str, gate: ChampionGate, bench: Bench) -> GateResult:
    from mlops_kit.data import bootstrap
    from mlops_kit.gates import champion, champion_text

    version = versions.champion(bench.repository, bench.contract.model, gate.stage)
    if version is None:
        bench.better = "first"
        return _result(name, gate, "pass", "first version: there is no champion to compare with")
    bench.against, bench.better = version.name, "can't tell"
    duel = champion.duel(bench.repository, bench.contract, version, bench.say)
    about = {
        "champion": version.name,
        "n": len(duel.challenger),
        "left_out": duel.left_out,
        "scored": duel.scored,
        "unchecked": duel.unchecked,
    }
    if len(duel.challenger) < gate.min_rows:
        says = f"only {len(duel.challenger)} rows to compare with {version.name}, min_rows is {gate.min_rows}{champion_text.left_out(duel, version)}"
        return _unknown(name, gate, says, details=about)
    difference = bootstrap.compare(gate.metric, duel.champion, duel.challenger, gate.confidence)
    details = about | {key: value for key, value in asdict(difference).items() if key != "n"}
    if not difference.is_known:
        says = f"{gate.metric} is not a number on these rows, or on some of the resampled ones"
        return _unknown(name, gate, says, details=details)
    bench.better = champion_text.better(difference)
    status = _not_worse(difference, -gate.worse_by_at_most)
    says = champion_text.versus(gate, difference, status, version) + champion_text.left_out(duel, version)
    bound = -gate.worse_by_at_most
    return _result(name, gate, status, says, difference.value, bound, details=details)


def _not_worse(difference: "Difference", bound: float) -> Status:
    if difference.low > bound or (difference.same and bound <= 0):
        return "pass"
    return "fail" if difference.high < bound else "unknown"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
