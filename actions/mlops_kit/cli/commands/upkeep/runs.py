"""mlops-kit runs."""

from pathlib import Path

import click

from mlops_kit.base import clock
from mlops_kit.base.text_table import text_table
from mlops_kit.cli.options import examples, excludes, json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.project import repository
from mlops_kit.runs import log
from mlops_kit.runs import publish as publication

FILTERS = ("--stage", "--status", "--since", "--until", "--limit")


@click.command(
    epilog=examples(
        "mlops-kit runs --stage train --since 7d",
        "mlops-kit runs --run 20261124T080000-1a2b",
    )
)
@click.option(
    "--stage", default="", metavar="STAGE", help="Runs with this stage, for instance train.  [default: all]"
)
@click.option(
    "--status",
    default="",
    metavar="STATUS",
    help=f"Runs with this status: {', '.join(log.STATUSES)}; with --stage also a status of that stage.  [default: all]",
)
@click.option(
    "--since", default="", metavar="TIME", help="Runs from then on: 2026-11-24, or 7d (ago).  [default: all]"
)
@click.option(
    "--until", default="", metavar="TIME", help="Runs until then: 2026-11-24, or 24h (ago).  [default: now]"
)
@click.option(
    "--run", "run", default="", metavar="ID", help="List the events of this run instead.  [default: none]"
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="List the newest N; 0 lists all.",
)
@click.option("--publish", is_flag=True, help="Push the runs of this clone to the branch mlops/runs.")
@json_option
@excludes("--publish", "--run", *FILTERS)
@excludes("--run", *FILTERS)
def command(
    stage: str, status: str, since: str, until: str, run: str, limit: int, publish: bool, as_json: bool
) -> None:
    """List what ran, when and how it ended."""
    if status and not stage and status not in log.STATUSES:
        known = f"{', '.join(log.STATUSES)}; those of a stage go with --stage"
        raise click.BadParameter(f"{status!r} is none of {known}.", param_hint="--status")
    repo = repository.find(Path.cwd())
    if publish:
        done = publication.publish(repo)
        finish(done, f"Published: {', '.join(done.runs) or 'nothing new'}", as_json)
    elif run:
        events = log.events_of(repo, run)
        finish(events, event_table(events), as_json)
    else:
        begin, end = (clock.when(text) if text else None for text in (since, until))
        matching, note = log.find(repo, log.Filter(stage, status, begin, end, limit))
        if note:
            tell(note)
        content = [vars(one) for one in matching]
        finish(content, table(matching) or "No run matches.", as_json)


def table(runs: list[log.Run]) -> str:
    """A line for each run; empty if there is none."""
    header = ("start (UTC)", "status", "seconds", "run", "trigger", "commit", "version", "stages")
    return "\n".join(text_table(header, list(map(_cells, runs)))) if runs else ""


def _cells(run: log.Run) -> list[str]:
    stages = ", ".join(
        name if how == "end" else f"{name} {how}" for name, how in run.stages.items() if ":" not in name
    )
    facts = [run.start[:19].replace("T", " "), run.status, f"{run.seconds:.1f}", run.run, run.trigger]
    return [*facts, run.commit[:7], run.version, stages]


def event_table(events: list[log.Event]) -> str:
    """A line for each event."""
    rows = []
    for event in events:
        facts = "  ".join(
            f"{name}={value}" for name, value in event.items() if name not in ("run", "at", "stage", "status")
        )
        rows.append([event["at"][:23].replace("T", " "), event["stage"], event["status"], facts])
    return "\n".join(text_table(("at (UTC)", "stage", "status", "facts"), rows))
