"""Brings together what the week's page tells."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from mlops_kit.alerts import notify
from mlops_kit.base import clock
from mlops_kit.base.markdown import code, plain
from mlops_kit.base.progress import Say
from mlops_kit.monitoring import check, history
from mlops_kit.monitoring import reference as references
from mlops_kit.monitoring.checks import trainings as trainings_module
from mlops_kit.new_data import age as ages
from mlops_kit.predictions_log import labels
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.reports.review import weeks as weekly
from mlops_kit.reports.review.weeks import Alarm, Week
from mlops_kit.runs import log as runs
from mlops_kit.statistics import intervals
from mlops_kit.versions import stages
from mlops_kit.versions import version as versions

SHOWN = 12  # weeks


@dataclass(frozen=True)
class InUse:
    version: str
    since: str  # of the version, ISO 8601
    age_days: int
    stage: str  # empty: the newest, none was promoted yet


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
    alarms: list[Alarm] = field(
        default_factory=list
    )  # that began before the week's end and not ended before it
    decide: list[str] = field(default_factory=list)  # in words
    checked: str = ""  # in words: what the newest check of a window found
    notes: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Of a repository in which nothing has happened yet: nobody needs a page of it."""
        return not (self.in_use or self.connected or any(week.trainings for week in self.weeks))

    @property
    def headline(self) -> str:
        figure = self.week.figure
        parts = [f"{self.metric} {figure.value:.3f} (n = {figure.n:,})"] if figure else []
        parts += [f"{len(self.alarms)} alarm{'s' * (len(self.alarms) != 1)}"]
        parts += [f"{len(self.decide)} to decide" if self.decide else "nothing to decide"]
        return f"{self.week.name}: {', '.join(parts)}"


def build(repository: Repository, contract: Contract, monday: date, say: Say) -> Review:
    """Of the week that begins on this Monday. Raises KitError when a log or labels cannot be read."""
    listed = weekly.before(monday, SHOWN)
    end = datetime.combine(monday + weekly.WEEK, datetime.min.time(), UTC)
    log = runs.read(repository)
    every = list(log.every())
    checks = history.checks(every, contract.monitoring.log)
    until = [one for one in checks if clock.moment(one["at"]) < end]
    trainings = trainings_module.of_main(log)
    made = Review(contract.model, listed[-1], listed, False, notes=[log.note] if log.note else [])
    weekly.fill_checks(listed, until)
    weekly.fill_trainings(listed, trainings)
    _fill_quality(repository, contract, made, say)
    _fill_versions(repository, contract, made, end)
    made.checked = _last_check(until)
    alarms = [
        one for one in weekly.alarms(checks, every) if one.began < end
    ]  # and whether they are over by now
    made.alarms = [one for one in alarms if one.touches(made.week)]
    made.decide = _to_decide(
        made, [one for one in alarms if one.ended is None], trainings_module.newest_of(trainings)
    )
    return made


def _last_check(checks: list[runs.Event]) -> str:
    last = next((one for one in checks if one.get("window")), None)
    if last is None:
        return ""
    columns = [code(one) for one in last.get("columns") or []]
    moved = f"{', '.join(columns[:8])} moved" if columns else str(last.get("data"))
    return f"{str(last['at'])[:10]} ({last.get('rows', 0):,} rows): {moved}"


def _fill_quality(repository: Repository, contract: Contract, made: Review, say: Say) -> None:
    if contract.monitoring.log is None:
        return
    reference = references.load(repository, contract, say)
    log = check.log_of(repository, contract, reference, say)
    if log is None or log.facts is None:
        return
    made.connected = True
    came, said = labels.come(repository, contract, log.facts["key"], say)
    say(f"weigh {len(log.facts):,} predictions by week")
    weekly.fill_traffic(made.weeks, log.tally)
    made.notes += [*said, *log.of_a_draw]
    made.metric = weekly.fill_quality(made.weeks, reference, log.facts, came, contract)


def _fill_versions(repository: Repository, contract: Contract, made: Review, end: datetime) -> None:
    known = [
        one
        for one in versions.versions(repository, contract.model)
        if datetime.fromisoformat(one.created) < end
    ]
    made.registered = [one.name for one in known if made.week.holds(datetime.fromisoformat(one.created))]
    made.newest = known[-1].name if known else ""
    by_commit = {one.commit: one for one in known}
    given = [one for one in stages.assignments(repository, contract.model) if one.at < end]
    stay = stages.current_stay(given, "production")
    used = by_commit.get(stay.commit) if stay else known[-1] if known else None
    if used:
        age = max((end - datetime.fromisoformat(used.created)).days, 0)
        made.in_use = InUse(used.name, used.created, age, "production" if stay else "")
    made.promoted = [
        f"{by_commit[one.commit].name} to {one.stage} by {one.who}: {one.why}"
        for one in given
        if made.week.holds(one.at) and one.commit in by_commit and not one.takes_back
    ]


def _to_decide(made: Review, open_now: list[Alarm], last: runs.Run | None) -> list[str]:
    """What waits for a person, with the first command."""
    titles = {ages.ALARM: ages.TITLE} | {kind: title for kind, (title, _) in notify.TITLES.items()}
    found = [f"{titles[one.kind]}, since {one.began:%Y-%m-%d}" for one in open_now if one.kind in titles]
    week = made.week.figure
    if week and intervals.is_worse(made.metric, week):
        found.append(
            f"The model is less right than when it was made ({made.metric} {week.value:.3f}, was {week.reference:.3f}): "
            "train on newer data, or `mlops-kit rollback`"
        )
    if made.in_use and made.in_use.stage and made.newest != made.in_use.version:
        command = f'`mlops-kit promote {made.newest} --stage {made.in_use.stage} --why "..."`'
        found.append(f"{made.newest} is not in use, {made.in_use.version} is: {command}, or leave it")
    if last and last.status not in ("done", "stopped") and not any("train" in one.kind for one in open_now):
        found.append(f"The newest training {plain(last.status)}: {code(f'mlops-kit runs --run {last.run}')}")
    before = [week for week in made.weeks[:-1] if week.predictions]
    if made.connected and before and not made.week.predictions:
        found.append(f"Nothing was predicted; the last time in {before[-1].name}")
    return found


def last_monday(now: datetime) -> date:
    """Of the last whole week."""
    return weekly.monday_of(now.astimezone(UTC).date()) - timedelta(days=7)


def monday(text: str) -> date:
    """Of 2026-W47. Raises ValueError."""
    year, _, week = text.partition("-W")
    return date.fromisocalendar(int(year), int(week), 1)
