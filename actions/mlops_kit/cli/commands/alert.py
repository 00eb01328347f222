"""mlops-kit alert."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_kit.cli.options import excludes, json_option
from mlops_kit.cli.output import finish, reporter

if TYPE_CHECKING:
    from mlops_kit.project.repository import Repository


@click.command()
@click.option(
    "--check",
    "checked",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What a check left, by itself the last one here.",
)
@click.option(
    "--from",
    "handed",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that `monitor check --hand-over` left; its events are published too.",
)
@click.option("--label", "labels", multiple=True, help="One more label for the issues that are opened.")
@click.option("--test", is_flag=True, help="Raise an alarm that means nothing and close it: does it arrive?")
@click.option("--dry-run", is_flag=True, help="Say what would be told; tell nobody.")
@json_option
@excludes("--test", "--check", "--from", "--label", "--dry-run")
@excludes("--check", "--from")
def command(
    checked: Path | None,
    handed: Path | None,
    labels: tuple[str, ...],
    test: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Tell people what the last check found: one issue an alarm, updated, and closed when it is over.

    An alarm that comes back within alerts.cooldown_hours goes on. A webhook is told when one begins and ends.
    Ends with 1 where somebody could not be told.
    """
    from mlops_kit.alerts import kinds, notify, outcome
    from mlops_kit.base.errors import KitError
    from mlops_kit.forge import runner
    from mlops_kit.monitoring import run
    from mlops_kit.project import contract, repository
    from mlops_kit.runs.events import Journal

    here = repository.find(Path.cwd())
    means = contract.load(here.root)
    if test:
        told = notify.test(here, means)
    elif dry_run:
        told = notify.plan(outcome.read(_file(here, checked, handed)))
    else:
        journal = run.take_over(here, handed) if handed else None
        if journal and handed and not (handed / run.OUTCOME).is_file():
            run.publish(here, means, journal, alive=False)
        found = outcome.read(_file(here, checked, handed))
        journal = journal or Journal(here, found.run or kinds.STAGE)
        told = notify.bring(here, means, found, journal, labels, reporter())
        if handed or any(one.is_news for one in told):
            run.publish(here, means, journal, alive=handed is not None)
    runner.output(raised=" ".join(one.kind for one in told if one.done in ("created", "reopened")))
    problems = [f"{one.kind}: {one.problem}" for one in told if one.problem]
    for problem in problems:
        runner.annotate("error", problem)
    lines = [f"{one.kind}: {one.done}{f', {one.where}' if one.where else ''}" for one in told]
    finish([asdict(one) for one in told], "\n".join(lines) or "Nothing to tell.", as_json)
    if problems:
        raise KitError(
            "\n".join(problems),
            "What is listed above was told. The next check brings the issues up to date, and tells the chat what it was not told.",
        )


def _file(here: "Repository", checked: Path | None, handed: Path | None) -> Path:
    from mlops_kit.alerts import outcome
    from mlops_kit.monitoring import run

    return handed / run.OUTCOME if handed else checked or here.root / outcome.FILE
