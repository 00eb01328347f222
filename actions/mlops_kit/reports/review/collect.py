"""Collect the facts of a week for its review."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from mlops_kit.alerts.kinds import KINDS
from mlops_kit.base import clock
from mlops_kit.base.markdown import code, plain
from mlops_kit.base.progress import Say
from mlops_kit.forge import github
from mlops_kit.monitoring import history, inputs, training_facts
from mlops_kit.monitoring import reference as references
from mlops_kit.new_data import age as ages
from mlops_kit.predictions_log import labels
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.reports.review import weeks as weekly
from mlops_kit.reports.review.weeks import RaisedAlarm, Week
from mlops_kit.runs import log as runs
from mlops_kit.statistics import intervals
from mlops_kit.versions import stages
from mlops_kit.versions import version as versions

SHOWN = 12  # weeks


@dataclass(frozen=True)
class InUse:
    version: str
    since: str  # when the version was made, ISO 8601
    age_days: int
    age: str  # in words, until now or the end of the week
    stage: str  # empty: the newest version, because none was promoted yet


@dataclass
class Review:
    model: str
    week: Week
    weeks: list[Week]  # oldest first, `week` the last
    connected: bool
    metric: str = ""
    in_use: InUse | None = None
    newest: str = ""  # version
    registered: list[str] = field(default_factory=list)  # in the week
    promoted: list[str] = field(default_factory=list)  # in words
    rolled_back: list[str] = field(
        default_factory=list
    )  # in words; also what was put back after an unapproved change
    alarms: list[RaisedAlarm] = field(
        default_factory=list
    )  # that began before the week's end and not ended before it
    decide: list[str] = field(default_factory=list)  # in words
    checked: str = ""  # in words: the result of the newest check of a window
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """True if nothing has happened in the repository yet: nobody needs a review of it."""
        return not (self.in_use or self.connected or any(week.trainings for week in self.weeks))

    @property
    def headline(self) -> str:
        figure = self.week.figure
        parts = [f"{self.metric} {figure.value:.3f} (n = {figure.n:,})"] if figure else []
        parts += [f"{len(self.alarms)} alarm{'s' * (len(self.alarms) != 1)}"]
        parts += [f"{len(self.decide)} to decide" if self.decide else "nothing to decide"]
        return f"{self.week.name}: {', '.join(parts)}"


def build(repository: Repository, contract: Contract, monday: date, say: Say) -> Review:
    """The review of the week that begins on this Monday. Raises KitError if a log or labels cannot be read."""
    weeks = weekly.before(monday, SHOWN)
    end = datetime.combine(monday + weekly.WEEK, datetime.min.time(), UTC)
    log = runs.read(repository)
    events = list(log.every())
    checks = history.checks(events, contract.monitoring.log)
    checks_until_end = [one for one in checks if clock.moment(one["at"]) < end]
    trainings = training_facts.of_main(log)
    review = Review(contract.model, weeks[-1], weeks, False, notes=[log.note] if log.note else [])
    weekly.fill_checks(weeks, checks_until_end)
    weekly.fill_trainings(weeks, trainings, training_facts.by_hand(log))
    _fill_quality(repository, contract, review, say)
    _fill_versions(repository, contract, review, end)
    review.checked = _last_check(checks_until_end)
    alarms = [
        one for one in weekly.alarms(checks, events, github.pages(repository)) if one.began < end
    ]  # and whether they are over by now
    review.alarms = [one for one in alarms if one.touches(review.week)]
    review.decide = _to_decide(
        review, [one for one in alarms if one.ended is None], training_facts.newest_of(trainings)
    )
    return review


def _last_check(checks: list[runs.Event]) -> str:
    last = next((one for one in checks if one.get("window")), None)
    if last is None:
        return ""
    columns = [code(one) for one in last.get("columns") or []]
    moved = f"{', '.join(columns[:8])} moved" if columns else str(last.get("data"))
    return f"{str(last['at'])[:10]} ({last.get('rows', 0):,} rows): {moved}"


def _fill_quality(repository: Repository, contract: Contract, review: Review, say: Say) -> None:
    if contract.monitoring.log is None:
        return
    reference = references.load(repository, contract, say)
    log = inputs.read_log(repository, contract, reference, say)
    if log is None or log.facts is None:
        return
    review.connected = True
    actual_labels, notes = labels.come(repository, contract, log.facts["key"], say)
    say(f"weigh {len(log.facts):,} predictions by week")
    weekly.fill_traffic(review.weeks, log.tally)
    review.notes += [*notes, *log.of_a_draw]
    review.metric = weekly.fill_quality(review.weeks, reference, log.facts, actual_labels, contract)


def _fill_versions(repository: Repository, contract: Contract, review: Review, end: datetime) -> None:
    registered = [
        one
        for one in versions.versions(repository, contract.model)
        if datetime.fromisoformat(one.created) < end
    ]
    review.registered = [
        one.name for one in registered if review.week.holds(datetime.fromisoformat(one.created))
    ]
    review.newest = registered[-1].name if registered else ""
    by_commit = {one.commit: one for one in registered}
    assignments = [one for one in stages.assignments(repository, contract.model) if one.at < end]
    holding = stages.current_stay(assignments, "production")
    in_use = by_commit.get(holding.commit) if holding else registered[-1] if registered else None
    if in_use:
        age = max(min(end, clock.now()) - datetime.fromisoformat(in_use.created), timedelta())
        in_words = clock.lasting(age)
        review.in_use = InUse(
            in_use.name, in_use.created, age.days, in_words, "production" if holding else ""
        )
    for one in assignments:
        if review.week.holds(one.at) and one.commit in by_commit and not one.takes_back:
            moved = review.promoted if one.kind == stages.PROMOTION else review.rolled_back
            moved.append(f"{by_commit[one.commit].name} to {one.stage} by {one.who}: {one.why}")


def _to_decide(review: Review, open_now: list[RaisedAlarm], last_run: runs.Run | None) -> list[str]:
    """Decisions that wait for a person, with the first command."""
    titles = {ages.ALARM: ages.TITLE} | {kind: row.title for kind, row in KINDS.items()}
    decisions = [f"{titles[one.kind]}, since {one.began:%Y-%m-%d}" for one in open_now if one.kind in titles]
    week = review.week.figure
    if week and intervals.is_worse(review.metric, week):
        decisions.append(
            f"The model is less accurate than when it was registered ({review.metric} {week.value:.3f}, was {week.reference:.3f}): "
            "train on newer data, or `mlops-kit rollback`"
        )
    if review.in_use and review.in_use.stage and review.newest != review.in_use.version:
        command = f'`mlops-kit promote {review.newest} --stage {review.in_use.stage} --why "..."`'
        decisions.append(
            f"{review.newest} is not in production, {review.in_use.version} is: {command}, or leave it"
        )
    if (
        last_run
        and last_run.status not in ("done", "stopped")
        and not any("train" in one.kind for one in open_now)
    ):
        decisions.append(
            f"The newest training has the status {plain(last_run.status)}: {code(f'mlops-kit runs --run {last_run.run}')}"
        )
    before = [week for week in review.weeks[:-1] if week.predictions]
    if review.connected and before and not review.week.predictions:
        decisions.append(f"No predictions this week; the last ones are of {before[-1].name}")
    return decisions


def monday(week: str | None, now: datetime, *, whole: bool = False) -> date:
    """The Monday of an ISO week such as 2026-W47. By default of this week, or of the last `whole` one.

    Raises ValueError if the week has not begun.
    """
    if week is None:
        return weekly.monday_of(now.astimezone(UTC).date()) - timedelta(days=7 * whole)
    year, _, number = week.partition("-W")
    try:
        first_day = date.fromisocalendar(int(year), int(number), 1)
    except ValueError:
        raise ValueError(f"{week!r} is no week; write 2026-W47.") from None
    if first_day.year < 1970 or first_day > now.date():
        raise ValueError(f"{week!r} is no week that has begun; write 2026-W47.")
    return first_day
