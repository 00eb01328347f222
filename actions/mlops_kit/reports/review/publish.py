"""Write the review of a week, and publish it: one issue is updated, and one comment a week announces it."""

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mlops_kit.base.errors import KitError
from mlops_kit.base.progress import Say
from mlops_kit.forge import github, runner
from mlops_kit.monitoring import run as check_run
from mlops_kit.project.contract import Contract
from mlops_kit.project.repository import Repository
from mlops_kit.reports.review import collect, pages
from mlops_kit.reports.review.collect import Review
from mlops_kit.runs import events
from mlops_kit.runs import log as runs
from mlops_kit.versions import version as versions

FOLDER = Path(".mlops/review")
TEXT, PAGE, FACTS = "review.md", "review.html", "review.json"
STAGE, TITLE, LABEL = "review", "Weekly review", "mlops-review"
WEEK = re.compile(r"\d{4}-W\d{2}")


@dataclass(frozen=True)
class Published:
    week: str
    done: str  # created, updated, unchanged, "told already" or "nothing to tell yet"
    where: str = ""

    @property
    def text(self) -> str:
        return f"The review of {self.week}: {self.done}{f', {self.where}' if self.where else ''}"


def make(repository: Repository, contract: Contract, monday: date, folder: Path, say: Say) -> Review:
    """Writes the review of the week that begins on this Monday. Raises KitError if a log or labels cannot be read."""
    versions.refresh(repository, contract.model, say)
    review = collect.build(repository, contract, monday, say)
    _write(folder, review, pages.markdown(review), pages.html(review))
    runner.output(markdown=folder / TEXT, page=folder / PAGE)
    return review


def _write(folder: Path, review: Review, text: str, page: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TEXT).write_text(text, encoding="utf-8", newline="\n")
    (folder / PAGE).write_text(page, encoding="utf-8", newline="\n")
    facts = {"week": review.week.name, "headline": review.headline, "is_empty": review.is_empty}
    (folder / FACTS).write_text(json.dumps(facts) + "\n", encoding="utf-8")


def publish(
    repository: Repository, contract: Contract, folder: Path, labels: tuple[str, ...] = ()
) -> Published:
    """Updates the issue, once for each week. Raises KitError if GitHub cannot be reached or `folder` holds no review."""
    published = _publish(repository, contract, folder, labels)
    runner.output(url=published.where)
    return published


def _publish(repository: Repository, contract: Contract, folder: Path, labels: tuple[str, ...]) -> Published:
    week, headline, text, is_empty = _read(folder)
    if is_empty:
        return Published(week, "nothing to tell yet")
    if _is_published(repository, week):
        return Published(week, "told already")
    placed = github.connect(repository).page_in_place(
        github.marker(STAGE, contract.model), TITLE, text, f"**{headline}**", (LABEL, *labels)
    )
    journal = events.alone(repository, STAGE)
    journal.emit(STAGE, "published", week=week, where=placed.url)
    check_run.publish(repository, contract, journal, alive=False)
    return Published(week, placed.done, placed.url)


def _read(folder: Path) -> tuple[str, str, str, bool]:
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        week, headline = str(facts["week"]), str(facts["headline"])
        is_empty = bool(facts["is_empty"])
        text = (folder / TEXT).read_text(encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KitError(f"{folder} holds no review: {error}.", "`mlops-kit review` writes one.") from error
    if not WEEK.fullmatch(week):
        raise KitError(
            f"{folder / FACTS} is of week {week[:40]!r}, which is none.", "`mlops-kit review` writes one."
        )
    return week, headline, text, is_empty


def _is_published(repository: Repository, week: str) -> bool:
    log = runs.read(repository)
    return any(event["stage"] == STAGE and event.get("week") == week for event in log.every())
