"""When drift trains: so many of the last windows show it, the newest among them, and not too often.

What it starts is `drift-detected`, the path of every merge: it looks for new data, trains, gates; a model that is
worse is not promoted, and where nothing is new the run says so.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops_kit.base import clock
from mlops_kit.base.errors import KitError
from mlops_kit.forge import github
from mlops_kit.monitoring import history, run
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Retrain
from mlops_kit.runs import log
from mlops_kit.runs.events import Journal
from mlops_kit.runs.log import Event

EVENT, STAGE = "drift-detected", "retrain"
DISPATCHED, REFUSED = "dispatched", "refused"
DRIFT = {"data-drift", "concept-drift", "predictions-moved"}
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    train: bool
    why: str
    windows: list[str]  # that count, newest first: when they were checked, and what was found


def decide(contract: Contract, events: list[Event], now: datetime | None = None) -> Decision:
    """`events` of every run, in any order."""
    policy, now = contract.retrain, now or clock.now()
    if policy is None:
        return Decision(False, "mlops.yaml has no `retrain`: drift is told and trains nothing", [])
    told = [one for one in history.checks(events, contract.monitoring.log) if _could_tell(one)]
    last = history.apart(told)[: policy.of]
    shown = [f"{one['at'][:16]} {', '.join(_drifts(one)) or 'no drift'}" for one in last]
    violated = [bool(_drifts(one)) for one in last]
    if not violated or not violated[0]:
        return Decision(False, "the newest window shows no drift", shown)
    if sum(violated) < policy.windows:
        said = f"{sum(violated)} of the last {policy.of} windows show drift, it takes {policy.windows}"
        return Decision(False, said, shown)
    if held := _held(policy, events, now):
        return Decision(False, held, shown)
    return Decision(True, f"{sum(violated)} of the last {len(last)} windows show drift", shown)


def _could_tell(check: Event) -> bool:
    return bool(DRIFT & {*check.get("kinds", []), *check.get("judged", [])})


def _drifts(check: Event) -> list[str]:
    return [kind for kind in check.get("kinds", []) if kind in DRIFT]


def _held(policy: Retrain, events: list[Event], now: datetime) -> str:
    """Why not again yet."""
    ours = [one for one in events if one["stage"] == STAGE]
    refused = {one["run"] for one in ours if one["status"] == REFUSED}
    past = [
        clock.moment(one["at"]) for one in ours if one["status"] == DISPATCHED and one["run"] not in refused
    ]
    if not past:
        return ""
    since = now - max(past)
    if since < timedelta(days=policy.cooldown_days):
        return f"drift trained {clock.lasting(since)} ago, the cooldown is {policy.cooldown_days:g} days"
    if (today := sum(now - one < DAY for one in past)) >= policy.a_day:
        return f"drift trained {today} times within a day, at most {policy.a_day}"
    return ""


def ask(repository: Repository, contract: Contract) -> Decision:
    return decide(contract, list(log.read(repository).every()))


def start(repository: Repository, contract: Contract, decision: Decision, journal: Journal) -> None:
    """Written down before GitHub is asked: what cannot be written down is not started, or each check would start it.

    Raises KitError; the next check decides again.
    """
    hub = github.connect(repository)
    journal.emit(STAGE, DISPATCHED, why=decision.why)
    try:
        run.publish(repository, contract, journal, alive=False)
        hub.dispatch(EVENT, {"why": decision.why, "windows": decision.windows[:5]})
    except KitError as error:
        journal.emit(STAGE, REFUSED, error=error.what)
        with suppress(KitError):  # told is what came first
            run.publish(repository, contract, journal, alive=False)
        raise
