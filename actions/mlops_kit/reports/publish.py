"""Write a report into two files, the summary of the run, and one comment of the pull request."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlops_kit.base.errors import KitError
from mlops_kit.base.sanitize import sanitize
from mlops_kit.forge import github, runner
from mlops_kit.project.repository import Repository
from mlops_kit.reports import report_html, report_markdown, report_text
from mlops_kit.reports.report import Report
from mlops_kit.runs.handover import Handover

FOLDER = ".mlops/report"


@dataclass(frozen=True)
class PublishedReport:
    markdown: str
    short: str  # for a terminal
    text: Path
    page: Path
    facts: dict[str, Any]  # for programs
    notes: list[str] = field(default_factory=list)


def publish(report: Report, repository: Repository, out: Path, comment: str | None) -> PublishedReport:
    """Write the report. Raises KitError if a comment was requested by its number and cannot be written."""
    text = report_markdown.markdown(report)
    files = out / "report.md", out / "report.html"
    out.mkdir(parents=True, exist_ok=True)
    for file, content in zip(files, (text, report_html.html(report)), strict=True):
        file.write_text(content, encoding="utf-8", newline="\n")
    runner.summary(text)
    url, note = _comment(repository, report.model, text, comment) if comment else (None, "")
    short = report_text.short(report, files[1])
    facts = _facts(report) | {"text": str(files[0]), "page": str(files[1]), "comment": url}
    return PublishedReport(text, short, *files, facts, [note] if note else [])


def comment_from(folder: Path, repository: Repository, model: str, comment: str) -> str:
    """Comment with the report in `folder`. If there is none on a runner, comment that nothing was trained.

    The report may come from a job that ran the project's code, so it is sanitized: its links lead into the repository
    alone. Returns what became of the comment. Raises KitError if there is no report and this is not a runner.
    """
    handed = Handover(folder, ("report.md",), "report", "`mlops-kit report --out FOLDER` writes one.")
    text = "Nothing was trained, so there is no report. The log of the run says why."
    if handed.has("report.md"):
        text = sanitize(handed.text("report.md"), github.pages(repository))
    elif not runner.on_runner():
        raise KitError(f"{folder} holds no report.md.", handed.again)
    return _comment(repository, model, text, comment)[1]


def _facts(report: Report) -> dict[str, Any]:
    return {
        "model": report.model,
        "open": report.is_open,
        "verdict": report.verdict_in_words,
        "compared_with": report.before.version if report.before else None,
        "heading": report.training.heading if report.training else "",
        "metrics": {
            one.name: asdict(one)
            | {"difference": one.difference, "noise": one.noise, "is_noise": one.is_noise}
            for one in report.differences.metrics
        },
    }


def _comment(repository: Repository, model: str, text: str, target: str) -> tuple[str | None, str]:
    """Address of the comment, and what there is to say about it."""
    from mlops_kit.forge import github_errors

    number = _number(target)
    if number is None:
        return None, "No comment: this run belongs to no pull request."
    try:
        placed = github.connect(repository).comment_in_place(number, github.marker("report", model), text)
    except github_errors.GitHubError as error:
        if target == "auto" and error.status == 403 and runner.is_fork():
            return None, "No comment: the token of a pull request from a fork is read-only."
        raise
    return placed.url, f"Comment on #{number} {placed.done}: {placed.url}"


def _number(target: str) -> int | None:
    if target.isdigit():
        return int(target)
    if target != "auto":
        raise KitError(
            f"--comment is {target!r}, which is neither a number nor `auto`.", "For instance --comment 12."
        )
    return runner.pull_request_number()
