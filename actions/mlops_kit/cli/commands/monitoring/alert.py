"""mlops-kit alert."""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli.options import examples, excludes, json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import monitors


@click.command(
    epilog=examples(
        "mlops-kit alert",
        "mlops-kit alert --test",
    )
)
@click.option(
    "--check",
    "checked",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Result of a check.  [default: the last check here]",
)
@click.option(
    "--from",
    "handed",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Result of `monitor check --hand-over`; its events are published too.  [default: none]",
)
@click.option(
    "--label",
    "labels",
    metavar="LABEL",
    multiple=True,
    help="Label for new issues; repeat it for more.  [default: none]",
)
@click.option("--test", is_flag=True, help="Raise and close a test alarm, to see whether alarms arrive.")
@click.option(
    "--dry-run", is_flag=True, help="List the alarms that would be raised or closed; change nothing."
)
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
    """Open, update and close the GitHub issue of each alarm.

    It reads the result of the last `mlops-kit monitor check`. An alarm that comes back within alerts.cooldown_hours
    reopens its issue. The webhook gets a message when an alarm begins and when it ends. Exits with 1 if a message could
    not be delivered.
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
            "The other alarms were delivered. The next check tries again.",
        )
