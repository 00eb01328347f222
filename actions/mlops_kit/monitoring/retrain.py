"""`retrain`: start a training if enough of the last windows, the newest among them, show drift, and not too often.

It dispatches `drift-detected`, which takes the path of every merge: look for new data, train, gate. A model that is worse
is not promoted. If nothing is new, the run says so.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops_kit.alerts.kinds import KINDS, Kind
from mlops_kit.base import clock
from mlops_kit.base.errors import KitError
from mlops_kit.forge import github, runner
from mlops_kit.monitoring import history, run
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import Retrain
from mlops_kit.runs import events, log
from mlops_kit.runs.events import Journal
from mlops_kit.runs.log import Event

EVENT, STAGE = "drift-detected", "retrain"
DISPATCHED, REFUSED = "dispatched", "refused"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    train: bool
    why: str
    windows: list[str]  # that count, newest first: when they were checked, and what was found

    @property
    def headline(self) -> str:
        return f"{'Training starts' if self.train else 'No training'}: {self.why}."

    @property
    def text(self) -> str:
        """For the terminal."""
        return "\n".join([self.headline, *(f"  {window}" for window in self.windows)])


def decide(contract: Contract, past: list[Event], now: datetime | None = None) -> Decision:
    """Decide by the events of every run (`past`, in any order) whether a training is due."""
    policy, now = contract.retrain, now or clock.now()
    if policy is None:
        return Decision(
            False, "mlops.yaml has no `retrain`, so drift raises an alarm and starts no training", []
        )
    checks = [one for one in history.checks(past, contract.monitoring.log) if _could_tell(one)]
    last = history.apart(checks)[: policy.of]
    shown = [f"{one['at'][:16]} {', '.join(_drifts(one)) or 'no drift'}" for one in last]
    violated = [bool(_drifts(one)) for one in last]
    if not violated or not violated[0]:
        return Decision(False, "the newest window shows no drift", shown)
    if sum(violated) < policy.windows:
        too_few = f"{sum(violated)} of the last {policy.of} windows show drift; {policy.windows} are required"
        return Decision(False, too_few, shown)
    if reason := _reason_to_wait(policy, past, now):
        return Decision(False, reason, shown)
    return Decision(True, f"{sum(violated)} of the last {len(last)} windows show drift", shown)


def _could_tell(check: Event) -> bool:
    return any(_is_drift(kind) for kind in [*check.get("kinds", []), *check.get("judged", [])])


def _drifts(check: Event) -> list[str]:
    return [kind for kind in check.get("kinds", []) if _is_drift(kind)]


def _is_drift(kind: Kind) -> bool:
    return kind in KINDS and KINDS[kind].is_drift


def _reason_to_wait(policy: Retrain, past: list[Event], now: datetime) -> str:
    """Why a training that is due must wait; empty if it need not wait."""
    attempts = [one for one in past if one["stage"] == STAGE]
    refused = {one["run"] for one in attempts if one["status"] == REFUSED}
    started = [
        clock.moment(one["at"])
        for one in attempts
        if one["status"] == DISPATCHED and one["run"] not in refused
    ]
    if not started:
        return ""
    since = now - max(started)
    if since < timedelta(days=policy.cooldown_days):
        return f"drift started a training {clock.lasting(since)} ago; the cooldown is {policy.cooldown_days:g} days"
    if (today := sum(now - one < DAY for one in started)) >= policy.a_day:
        return f"drift started {today} trainings within a day; the limit is {policy.a_day}"
    return ""


def retrain(repository: Repository, contract: Contract, *, dry_run: bool = False) -> Decision:
    """Decide by the past checks, and start the training if it is due. Raises KitError if it cannot be started."""
    decision = decide(contract, list(log.read(repository).every()))
    if decision.train and not dry_run:
        start(repository, contract, decision, events.alone(repository, STAGE))
    runner.output(trains=decision.train)
    runner.summary(decision.headline)
    return decision


def start(repository: Repository, contract: Contract, decision: Decision, journal: Journal) -> None:
    """Start the training. Its event is published first: a start without an event would be repeated by each check.

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
