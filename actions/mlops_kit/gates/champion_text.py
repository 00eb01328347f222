"""The verdict of the champion gate in words."""

from typing import TYPE_CHECKING

from mlops_kit.project.sections import ChampionGate
from mlops_kit.versions.gate_results import Better, Status
from mlops_kit.versions.version import Version

if TYPE_CHECKING:
    from mlops_kit.data.bootstrap import Difference
    from mlops_kit.gates.champion import Duel


def better(difference: "Difference") -> Better:
    """What the interval of the difference says about the two models, whatever the gate allows."""
    if difference.same:
        return "the same"
    return "better" if difference.low > 0 else "worse" if difference.high < 0 else "can't tell"


def versus(gate: ChampionGate, difference: "Difference", status: Status, version: Version) -> str:
    """The verdict, then what it rests on: metric of both models, difference, interval and number of rows."""
    said = verdict(better(difference), status, version.name, f"{gate.worse_by_at_most:g}")
    both = f"{gate.metric} {number(difference.challenger)} against {number(difference.champion)}"
    rows = f"on the same {difference.n:,} rows"
    if difference.same:
        return f"{said}: {both} {rows}"
    interval = f"{gate.confidence:.0%} interval {difference.low:+.4f} to {difference.high:+.4f}"
    return f"{said}: {both} {rows}, difference {difference.value:+.4f} ({interval}; plus is better)"


def verdict(compared: Better, status: Status, than: str, allowed: str) -> str:
    """One sentence for the comparison and the gate, so that the two never seem to contradict each other."""
    if compared == "the same":
        return f"same predictions as {than}"
    if compared == "better":
        return f"better than {than}"
    within, beyond = "", ""
    if allowed != "0":
        within, beyond = f", by at most {allowed} (allowed)", f", by more than {allowed} (allowed)"
    if status == "fail":
        return f"worse than {than}{beyond}"
    if compared == "worse":
        unsure = f"; can't tell if by more than {allowed} (allowed)"
        return f"worse than {than}{within if status == 'pass' else unsure}"
    if status == "pass":
        return f"not worse than {than} by more than {allowed} (allowed)"
    more = f" by more than {allowed} (allowed)" if beyond else ""
    return f"can't tell if worse than {than}{more}"


def left_out(duel: "Duel", version: Version) -> str:
    """The rows that are not compared, and why; empty if all are."""
    note = f"; without {duel.left_out} rows that {version.name} was trained on" if duel.left_out else ""
    return note + (f"; {duel.unchecked}" if duel.unchecked else "")


def number(value: float | None) -> str:
    """With four digits; "none" for a metric that has no value."""
    return "none" if value is None else f"{value:.4g}"
