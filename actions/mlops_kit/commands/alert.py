"""mlops-kit alert."""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli import finish, json_option, reporter


@click.command()
@click.option(
    "--check",
    "checked",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What a check left, by itself the last one here.",
)
@click.option("--label", "labels", multiple=True, help="One more label for the issues that are opened.")
@click.option("--test", is_flag=True, help="Raise an alarm that means nothing and close it: does it arrive?")
@click.option("--dry-run", is_flag=True, help="Say what would be told; tell nobody.")
@json_option
def command(checked: Path | None, labels: tuple[str, ...], test: bool, dry_run: bool, as_json: bool) -> None:
    """Tell people what the last check found: one issue an alarm, updated, and closed when it is over.

    An alarm that comes back within alerts.cooldown_hours goes on. A webhook is told when one begins and ends.
    Ends with 1 where somebody could not be told.
    """
    from mlops_kit import alerting, contract, repository, runner
    from mlops_kit.errors import KitError
    from mlops_kit.events import Journal
    from mlops_kit.monitoring import keeping, outcome

    if test and (dry_run or checked):
        raise click.UsageError("--test tells of no check: give it alone.")
    here = repository.find(Path.cwd())
    means = contract.load(here.root)
    if test:
        told = alerting.test(here, means)
    else:
        found = outcome.read(checked or here.root / outcome.FILE)
        if dry_run:
            told = alerting.plan(found)
        else:
            journal = Journal(here, found.run or keeping.STAGE)
            told = alerting.bring(here, means, found, journal, labels, reporter())
            if any(one.done != "unchanged" for one in told):
                keeping.publish(here, means, journal)
    runner.output(raised=" ".join(one.kind for one in told if one.done in ("created", "reopened")))
    problems = [f"{one.kind}: {one.problem}" for one in told if one.problem]
    for problem in problems:
        runner.annotate("error", problem)
    lines = [f"{one.kind}: {one.done}{f', {one.where}' if one.where else ''}" for one in told]
    finish([asdict(one) for one in told], "\n".join(lines) or "Nothing to tell.", as_json)
    if problems:
        raise KitError(
            "\n".join(problems), "What is listed above was told; the rest is tried again by the next check."
        )
