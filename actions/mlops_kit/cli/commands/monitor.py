"""mlops-kit monitor."""

import shlex
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish, in_json, reporter


@click.group()
def command() -> None:
    """Watch inputs, predictions and what runs, with at most one false alarm in 100 checks."""


@command.command()
@json_option
def calibrate(as_json: bool) -> None:
    """Find the thresholds for windows to come by resampling the rows of the version in use."""
    from mlops_kit.monitoring import check as checks
    from mlops_kit.monitoring import terminal_text
    from mlops_kit.project import contract, repository
    from mlops_kit.versions import version as versions

    here = repository.find(Path.cwd())
    means, say = contract.load(here.root), reporter()
    versions.refresh(here, means.model, say)
    made = checks.calibrate(here, means, say)
    finish(made, terminal_text.of_calibration(made), as_json)


@command.command()
@click.option(
    "--window", metavar="FILE|GLOB|URL", help="Rows, or a predictions log, instead of monitoring.log."
)
@click.option("--labels", metavar="FILE|GLOB|URL", help="What came true, instead of monitoring.labels.")
@click.option("--against", metavar="VERSION", help="Compare with this version, instead of the one in use.")
@click.option(
    "--hand-over",
    "handed",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Publish nothing: leave the outcome for the job that may write.",
)
@json_option
def check(
    window: str | None, labels: str | None, against: str | None, handed: Path | None, as_json: bool
) -> None:
    """Say what moved: data, relation or infrastructure; 10 when something alarms.

    Without --window it is the last days of the predictions log that mlops.yaml names, where there is one, and
    the trainings of main. What was found waits in .mlops/monitoring for `mlops-kit alert`.
    """
    from mlops_kit.base import clock
    from mlops_kit.forge import runner
    from mlops_kit.monitoring import check as checks
    from mlops_kit.monitoring import export, history, issue_text, run, terminal_text
    from mlops_kit.predictions_log import sources
    from mlops_kit.project import contract, repository
    from mlops_kit.versions import version as versions

    if labels and not window:
        raise click.UsageError(
            "--labels goes with --window; for the log there is monitoring.labels in mlops.yaml."
        )
    here = repository.find(Path.cwd())
    means, say = contract.load(here.root), reporter()
    versions.refresh(here, means.model, say)
    version = versions.find(here, means.model, against) if against else None
    compared = export.Compared(here.root / export.WHOLE if means.hooks.get(export.HOOK) else None)
    with run.journal(here, means, handed) as journal, closing(compared):
        if window:
            found = checks.check(here, means, window, labels, say, compared, version)
        else:
            found = checks.scheduled(here, means, journal, say, compared, version)
        given = {"--window": window, "--labels": labels, "--against": found.window and found.version}
        options = [word for name, value in given.items() if value for word in (name, sources.shown(value))]
        again = f"{clock.VARIABLE}={found.at} {shlex.join(['mlops-kit', 'monitor', 'check', *options])}"
        outcome = issue_text.outcome(found, journal.run, again)
        outcome.write(here.root)
        history.emit(journal, found)
        content = asdict(found) | {
            "findings": [asdict(one) for one in found.findings],
            "judged": found.judged,
        }
        if means.hooks.get(export.HOOK):
            export.hand_over(here, means, journal, found, compared, in_json(content), say, handed)
    runner.output(alarms=" ".join(outcome.kinds), version=found.version)
    runner.summary(f"### Monitor\n\n```\n{terminal_text.of_check(found)}\n```")
    finish(content, terminal_text.of_check(found), as_json, yes=not found.findings)


@command.command()
@click.option("--months", default="4-12", show_default=True, help="Of 2013, for instance 4-6.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the repository, to look at; by itself it is gone afterwards.",
)
@json_option
def demo(months: str, keep: Path | None, as_json: bool) -> None:
    """Go through nine months of flights and say what is found: the inputs, the relation, the alarms.

    Makes a repository of its own and trains it on January to March. With GITHUB_TOKEN and GITHUB_REPOSITORY set,
    alarms and reviews become issues there, labelled `demo`; else nobody is told.
    """
    from tempfile import TemporaryDirectory

    from mlops_kit.monitoring import demo as demos

    first, _, last = months.partition("-")
    try:
        wanted = list(range(int(first), int(last or first) + 1))
    except ValueError:
        wanted = []
    if not wanted or not set(wanted) <= set(range(4, 13)):
        raise click.UsageError(f"{months!r} are no months; from 4 to 12, for instance 4-6.")
    say = reporter()
    with TemporaryDirectory(prefix="mlops-demo-") as folder:
        project = demos.repository_in(keep.absolute() if keep else Path(folder), say)
        found = list(demos.replay(project, wanted, say))
        finish([asdict(one) for one in found], demos.in_words(found, project), as_json)
