"""mlops-kit monitor."""

from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish, reporter
from mlops_kit.cli.workspace import monitors


@click.group(epilog=examples("mlops-kit monitor check", "mlops-kit monitor demo"))
def command() -> None:
    """Check for data drift, concept drift and failures.

    Thresholds are calibrated: at most one false alarm in 100 checks.
    """


@command.command(epilog=examples("mlops-kit monitor calibrate"))
@json_option
def calibrate(as_json: bool) -> None:
    """Calibrate the thresholds of drift.

    It resamples the rows of the version in production, and prints the smallest change that a window can show.
    """
    from mlops_kit.monitoring import calibrate as calibrations
    from mlops_kit.monitoring import terminal_text
    from mlops_kit.project import contract, repository

    repo = repository.find(Path.cwd())
    monitors(repo)
    calibrated = calibrations.calibrate(repo, contract.load(repo.root), reporter())
    finish(calibrated, terminal_text.of_calibration(calibrated), as_json)


@command.command(
    epilog=examples("mlops-kit monitor check", "mlops-kit monitor check --window new.csv --labels labels.csv")
)
@click.option(
    "--window",
    metavar="FILE|GLOB|URL",
    help="Rows or a predictions log.  [default: monitoring.log in mlops.yaml]",
)
@click.option(
    "--labels",
    metavar="FILE|GLOB|URL",
    help="Labels of --window.  [default: monitoring.labels in mlops.yaml]",
)
@click.option(
    "--against", metavar="VERSION", help="Compare with this version.  [default: the one in production]"
)
@click.option(
    "--hand-over",
    "handed",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write the result into FOLDER, for another job that publishes it.  [default: publish here]",
)
@json_option
def check(
    window: str | None, labels: str | None, against: str | None, handed: Path | None, as_json: bool
) -> None:
    """Check a window of data, and the trainings on main.

    Looks for data drift, concept drift and infrastructure problems. Without --window it reads the last days of the
    predictions log. `mlops-kit alert` then opens issues by the result in .mlops/monitoring. Exits with 10 if an alarm
    fires.
    """
    from mlops_kit.monitoring import monitor, terminal_text
    from mlops_kit.monitoring.inputs import Request
    from mlops_kit.project import contract, repository

    if labels and not window:
        raise click.UsageError(
            "--labels goes with --window; for the log there is monitoring.labels in mlops.yaml."
        )
    repo = repository.find(Path.cwd())
    monitors(repo)
    request = Request(window, labels, against)
    checked = monitor.check_now(repo, contract.load(repo.root), request, reporter(), handed)
    finish(checked, terminal_text.of_check(checked), as_json, yes=not checked.findings)


@command.command(epilog=examples("mlops-kit monitor demo --months 4-6"))
@click.option(
    "--months", metavar="FIRST-LAST", default="4-12", show_default=True, help="Months of 2013 to replay."
)
@click.option(
    "--keep",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Make the repository here and keep it.  [default: a temporary folder]",
)
@json_option
def demo(months: str, keep: Path | None, as_json: bool) -> None:
    """Replay nine months of flights, with drift and alarms.

    Makes a repository of its own and trains it on January to March. If GITHUB_TOKEN and GITHUB_REPOSITORY are set,
    alarms and reviews become issues there, labelled `demo`; otherwise nobody is told.
    """
    from tempfile import TemporaryDirectory

    from mlops_kit.monitoring import demo as demos

    first, _, last = months.partition("-")
    try:
        month_numbers = list(range(int(first), int(last or first) + 1))
    except ValueError:
        month_numbers = []
    if not month_numbers or not set(month_numbers) <= set(range(4, 13)):
        raise click.UsageError(f"{months!r} are no months; from 4 to 12, for instance 4-6.")
    say = reporter()
    with TemporaryDirectory(prefix="mlops-demo-") as folder:
        project = demos.repository_in(keep.absolute() if keep else Path(folder), say)
        results = list(demos.replay(project, month_numbers, say))
        finish([asdict(one) for one in results], demos.in_words(results, project), as_json)
