"""The cadence: when today's data was last looked at, and how old its newest row is.

Nothing new is an answer too: whoever looked and found nothing to learn has done what the clock asks for.
What stays is that the world moves on, so one alarm says when the newest row is older than its limit.
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
    """When it was last made sure that the version in use is what the data gives, new version or not."""
    found, _ = log.ask(repository, log.Wish(stage="register"))
    return next((clocks.moment(run.start) for run in found if run.stages["register"] in LOOKED), None)


# ---- where the data is ----


# ---- where the alarm can be raised ----


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


def age(contract: Contract, known: list[str | None], now: datetime | None = None) -> Age | None:
    """Of the newest of the moments that are known; None where nobody asked, or nobody knows."""
    limit = contract.new_data.newest_row
    moments = [datetime.strptime(one, FORM).replace(tzinfo=UTC) for one in known if one]
    if limit is None or not moments:
        return None
    days = ((now or clocks.now()) - max(moments)).days
    return Age(max(moments), max(days, 0), limit)


def tell(repository: Repository, contract: Contract, found: Age | None, journal: Journal) -> str:
    """Raises, updates or closes the one alarm; what there is to say, empty where nobody asked."""
    if contract.new_data.newest_row is None:
        return ""
    if found is None:
        journal.emit(ALARM, "unknown")
        return "The age of the newest row is not known yet; the next version will say it."
    facts = {"newest": found.newest.strftime(FORM), "days": found.days, "limit": found.limit.at_most_days}
    journal.emit(ALARM, "old" if found.is_over else "ok", **facts)
    if found.is_over:
        where = alarms.ring(repository, Alarm(ALARM, TITLE, _text(found)))
        return f"{found.says} {where}"
    was = alarms.clear(repository, ALARM, f"It is over. {found.says}")
    return f"cleared: {was}" if was else ""


def _text(found: Age) -> str:
    return (
        f"{found.says}\n\nNew data was looked for on {clocks.now():%Y-%m-%d}, and nothing newer came, so there "
        "was nothing to learn; the version in use stays. Does the source still deliver? "
        "`mlops-kit watch-data --dry-run` looks now. Where rows rightly come less often, raise "
        "`new_data.newest_row.at_most_days` in mlops.yaml. The first version with newer rows closes this issue."
    )
