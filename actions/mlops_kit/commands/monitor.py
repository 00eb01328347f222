"""mlops-kit monitor."""

from pathlib import Path

import click

from mlops_kit.cli import finish, json_option, reporter


@click.group()
def command() -> None:
    """Watch inputs, predictions and what runs, with at most one false alarm in 100 checks."""


@command.command()
@json_option
def calibrate(as_json: bool) -> None:
    """Find the thresholds for windows to come by resampling the rows of the version in use."""
    from mlops_kit import contract, repository
    from mlops_kit.monitoring import checking

    here = repository.find(Path.cwd())
    made = checking.calibrate(here, contract.load(here.root), reporter())
    finish(made, checking.calibration_in_words(made), as_json)


@command.command()
@click.option(
    "--window", required=True, metavar="FILE|GLOB|URL", help="Rows, or a predictions log, to check."
)
@click.option("--labels", metavar="FILE|GLOB|URL", help="What came true, instead of monitoring.labels.")
@json_option
def check(window: str, labels: str | None, as_json: bool) -> None:
    """Say what moved: data, relation or infrastructure; 10 when something alarms."""
    from mlops_kit import contract, repository
    from mlops_kit.monitoring import checking

    here = repository.find(Path.cwd())
    found = checking.check(here, contract.load(here.root), window, labels, reporter())
    finish(found, checking.in_words(found), as_json, yes=not found.alarms)
