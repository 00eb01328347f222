"""How old the newest row of the model's data is, and when a training last used today's data.

A training that finds nothing new counts as up to date. An alarm reports if the newest row is older than
`new_data.newest_row.at_most_days`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from mlops_kit.base import clock as clocks
from mlops_kit.data.newest_row import FORM
from mlops_kit.forge import alarms
from mlops_kit.forge.alarms import Alarm
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.project.sections import NewestRow
from mlops_kit.runs import log
from mlops_kit.runs.events import Journal

ALARM, TITLE = "newest-row", "The data is old: no newer rows come"
LOOKED = ("registered", "identical")  # how `register` ends when the model is that of today's data


def clock(repository: Repository) -> datetime | None:
    """When `register` last confirmed that the newest version is what the data gives; None if it never did."""
    registrations, _ = log.find(repository, log.Filter(stage="register"))
    return next((clocks.moment(run.start) for run in registrations if run.stages["register"] in LOOKED), None)


@dataclass(frozen=True)
class Age:
    newest: datetime
    days: int
    limit: NewestRow

    @property
    def is_over(self) -> bool:
        return self.days > self.limit.at_most_days

    @property
    def says(self) -> str:
        return (
            f"The newest row that the model was made of is of {self.newest:%Y-%m-%d} (`{self.limit.column}`), "
            f"{self.days} days ago; mlops.yaml allows {self.limit.at_most_days:g}."
        )


def age(contract: Contract, times: list[str | None], now: datetime | None = None) -> Age | None:
    """The age of the newest known moment; None if mlops.yaml sets no limit, or no moment is known."""
    limit = contract.new_data.newest_row
    moments = [datetime.strptime(one, FORM).replace(tzinfo=UTC) for one in times if one]
    if limit is None or not moments:
        return None
    days = ((now or clocks.now()) - max(moments)).days
    return Age(max(moments), max(days, 0), limit)


def update_alarm(repository: Repository, contract: Contract, age: Age | None, journal: Journal) -> str:
    """Raise, update or close the alarm. Returns a line for the log, empty if there is nothing to say."""
    if contract.new_data.newest_row is None:
        return ""
    if age is None:
        journal.emit(ALARM, "unknown")
        return "The age of the newest row is not known yet; the next version will say it."
    facts = {"newest": age.newest.strftime(FORM), "days": age.days, "limit": age.limit.at_most_days}
    journal.emit(ALARM, "old" if age.is_over else "ok", **facts)
    if age.is_over:
        where = alarms.ring(repository, Alarm(ALARM, TITLE, _text(age)))
        return f"{age.says} {where}"
    was = alarms.clear(repository, ALARM, f"It is over. {age.says}")
    return f"cleared: {was}" if was else ""


def _text(age: Age) -> str:
    return (
        f"{age.says}\n\nNew data was looked for on {clocks.now():%Y-%m-%d}, and nothing newer came, so there "
        "was nothing to learn; the version in use stays. Does the source still deliver? "
        "`mlops-kit watch-data --dry-run` looks now. Where rows rightly come less often, raise "
        "`new_data.newest_row.at_most_days` in mlops.yaml. The first version with newer rows closes this issue."
    )
