"""mlops-kit monitor."""

import shlex
from dataclasses import asdict
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
    from mlops_kit.monitoring import checking, wording

    here = repository.find(Path.cwd())
    made = checking.calibrate(here, contract.load(here.root), reporter())
    finish(made, wording.of_calibration(made), as_json)


@command.command()
@click.option(
    "--window", metavar="FILE|GLOB|URL", help="Rows, or a predictions log, instead of monitoring.log."
)
@click.option("--labels", metavar="FILE|GLOB|URL", help="What came true, instead of monitoring.labels.")
@json_option
def check(window: str | None, labels: str | None, as_json: bool) -> None:
    """Say what moved: data, relation or infrastructure; 10 when something alarms.

    Without --window it is the last days of the predictions log that mlops.yaml names, where there is one, and
    the trainings of main. What was found waits in .mlops/monitoring for `mlops-kit alert`.
    """
    from mlops_kit import contract, repository, runner
    from mlops_kit.monitoring import checking, keeping, showing, wording

    if labels and not window:
        raise click.UsageError(
            "--labels goes with --window; for the log there is monitoring.labels in mlops.yaml."
        )
    here = repository.find(Path.cwd())
    means, say = contract.load(here.root), reporter()
    with keeping.journal(here, means) as journal:
        if window:
            found = checking.check(here, means, window, labels, say)
        else:
            found = checking.scheduled(here, means, journal, say)
        words = ["mlops-kit", "monitor", "check", *(["--window", window] if window else [])]
        words += ["--labels", labels] if labels else []
        outcome = showing.outcome(found, journal.run, shlex.join(words))
        outcome.write(here.root)
        keeping.emit(journal, found)
    runner.output(alarms=" ".join(outcome.kinds), version=found.version)
    runner.summary(f"### Monitor\n\n```\n{wording.of_check(found)}\n```")
    content = asdict(found) | {
        "findings": [asdict(one) for one in found.findings],
        "judged": found.judged,
    }
    finish(content, wording.of_check(found), as_json, yes=not found.findings)


@command.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done; start nothing.")
@json_option
def retrain(dry_run: bool, as_json: bool) -> None:
    """Start a training where the checks found drift often enough: `retrain` in mlops.yaml says how often."""
    from mlops_kit import contract, events, repository, runner
    from mlops_kit.monitoring import keeping, retraining

    here = repository.find(Path.cwd())
    means = contract.load(here.root)
    decision = retraining.ask(here, means)
    if decision.train and not dry_run:
        journal = events.alone(here, retraining.STAGE)
        retraining.start(here, decision, journal)
        keeping.publish(here, means, journal)
    runner.output(trains=decision.train)
    said = f"{'Trains' if decision.train else 'Trains nothing'}: {decision.why}."
    runner.summary(said)
    finish(decision, "\n".join([said, *(f"  {one}" for one in decision.windows)]), as_json)
