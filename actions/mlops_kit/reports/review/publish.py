"""Write the review of a week, and publish it: one issue is updated, and one comment a week announces it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mlops_kit.base.markdown import plain
from mlops_kit.base.progress import Say
from mlops_kit.base.sanitize import sanitize
from mlops_kit.base.strict import Exact
from mlops_kit.forge import github, runner
from mlops_kit.monitoring import run as check_run
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.reports.review import collect, pages
from mlops_kit.reports.review.collect import Review
from mlops_kit.runs import events
from mlops_kit.runs import log as runs
from mlops_kit.runs.handover import Handover
from mlops_kit.versions import version as versions

FOLDER = Path(".mlops/review")
TEXT, PAGE, FACTS = "review.md", "review.html", "review.json"
STAGE, TITLE, LABEL = "review", "Weekly review", "mlops-review"
WEEK = r"^\d{4}-W\d{2}$"


@dataclass(frozen=True)
class Published:
    week: str
    done: str  # created, updated, unchanged, "published already" or "nothing to publish yet"
    where: str = ""

    @property
    def text(self) -> str:
        return f"The review of {self.week}: {self.done}{f', {self.where}' if self.where else ''}"


class ReviewFacts(Exact):
    """`review.json`."""

    week: Annotated[str, Field(pattern=WEEK)]
    headline: str
    is_empty: bool


def make(repository: Repository, contract: Contract, monday: date, folder: Path, say: Say) -> Review:
    """Writes the review of the week that begins on this Monday. Raises KitError if a log or labels cannot be read."""
    versions.refresh(repository, contract.model, say)
    review = collect.build(repository, contract, monday, say)
    _write(folder, review, pages.markdown(review), pages.html(review))
    runner.output(markdown=folder / TEXT, page=folder / PAGE)
    return review


def handover(folder: Path) -> Handover:
    """The pages of a week, and its facts for the job that publishes them."""
    return Handover(folder, (TEXT, PAGE, FACTS), "review", "`mlops-kit review` writes one.")


def _write(folder: Path, review: Review, text: str, page: str) -> None:
    facts = ReviewFacts(week=review.week.name, headline=review.headline, is_empty=review.is_empty)
    handover(folder).write({TEXT: text, PAGE: page, FACTS: facts.text()})


def publish(
    repository: Repository, contract: Contract, folder: Path, labels: tuple[str, ...] = ()
) -> Published:
    """Updates the issue, once for each week. Raises KitError if GitHub cannot be reached or `folder` holds no review."""
    published = _publish(repository, contract, folder, labels)
    runner.output(url=published.where)
    return published


def _publish(repository: Repository, contract: Contract, folder: Path, labels: tuple[str, ...]) -> Published:
    handed = handover(folder)
    facts = handed.payload(FACTS, ReviewFacts, "what `mlops-kit review` writes")
    text = sanitize(
        handed.text(TEXT), github.pages(repository)
    )  # a job that ran the project's code may have made it
    week = facts.week
    if facts.is_empty:
        return Published(week, "nothing to publish yet")
    if _is_published(repository, week):
        return Published(week, "published already")
    placed = github.connect(repository).page_in_place(
        github.marker(STAGE, contract.model), TITLE, text, f"**{plain(facts.headline)}**", (LABEL, *labels)
    )
    journal = events.alone(repository, STAGE)
    journal.emit(STAGE, "published", week=week, where=placed.url)
    check_run.publish(repository, contract, journal, alive=False)
    return Published(week, placed.done, placed.url)


def _is_published(repository: Repository, week: str) -> bool:
    log = runs.read(repository)
    return any(event["stage"] == STAGE and event.get("week") == week for event in log.every())
