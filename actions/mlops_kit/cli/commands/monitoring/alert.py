"""mlops-kit alert."""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli.options import excludes, json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import monitors


@click.command()
@click.option(
    "--check",
    "checked",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that a check left.  [default: that of the last check here]",
)
@click.option(
    "--from",
    "handed",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that `monitor check --hand-over` left; its events are published too.",
)
@click.option(
    "--label", "labels", multiple=True, help="Label for the issues that are opened; repeat it for more."
)
@click.option("--test", is_flag=True, help="Raise a test alarm and close it, to see whether alarms arrive.")
@click.option("--dry-run", is_flag=True, help="List the alarms that would be raised or closed; tell nobody.")
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
    """Raise, update and close alarms: one issue each, by the last check.

    An alarm that comes back within alerts.cooldown_hours reopens its issue. A webhook is told when an alarm begins and
    ends. Exits with 1 if somebody could not be told.
    """
    from mlops_kit.alerts import notify
    from mlops_kit.base.errors import KitError
    from mlops_kit.monitoring import alert as alerts
    from mlops_kit.project import contract, repository

    repo = repository.find(Path.cwd())
    if not dry_run:
        monitors(repo)
    settings = contract.load(repo.root)
    if test:
        results = alerts.test(repo, settings)
    elif dry_run:
        results = alerts.plan(repo, checked=checked, handed=handed)
    else:
        results = alerts.alert(repo, settings, reporter(), checked=checked, handed=handed, labels=labels)
    finish([asdict(one) for one in results], notify.text(results), as_json)
    if problems := notify.problems(results):
        raise KitError(
            "\n".join(problems),
            "What is listed above was told. The next check updates the issues, and tells the chat what it was not told.",
        )
