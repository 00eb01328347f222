"""mlops-kit runs."""

from pathlib import Path

import click

from mlops_kit.base import clock
from mlops_kit.cli.options import excludes, json_option
from mlops_kit.cli.output import finish, tell
from mlops_kit.project import repository
from mlops_kit.runs import log
from mlops_kit.runs import publish as publication

FILTERS = ("--stage", "--status", "--since", "--until", "--limit")


@click.command()
@click.option("--stage", default="", help="Runs that had this stage.")
@click.option(
    "--status",
    default="",
    help=f"{', '.join(log.STATUSES)}; with --stage also one of its own.",
)
@click.option("--since", default="", metavar="TIME", help="2026-11-24, or so long ago: 24h, 7d.")
@click.option("--until", default="", metavar="TIME", help="The same.")
@click.option("--run", "run", default="", metavar="ID", help="Every event of one run.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="So many, the newest; 0: all."
)
@click.option("--publish", is_flag=True, help="Put this clone's runs onto the branch mlops/runs.")
@json_option
@excludes("--publish", "--run", *FILTERS)
@excludes("--run", *FILTERS)
def command(
    stage: str, status: str, since: str, until: str, run: str, limit: int, publish: bool, as_json: bool
) -> None:
    """Say what ran, when and how it ended."""
    if status and not stage and status not in log.STATUSES:
        known = f"{', '.join(log.STATUSES)}; those of a stage go with --stage"
        raise click.BadParameter(f"{status!r} is none of {known}.", param_hint="--status")
    repo = repository.find(Path.cwd())
    if publish:
        done = publication.publish(repo)
        finish(done, f"published: {', '.join(done.runs) or 'nothing new'}", as_json)
    elif run:
        events = log.events_of(repo, run)
        finish(events, "\n".join(map(event_line, events)), as_json)
    else:
        begin, end = (clock.when(text) if text else None for text in (since, until))
        matching, note = log.find(repo, log.Filter(stage, status, begin, end, limit))
        if note:
            tell(note)
        content = [vars(one) for one in matching]
        finish(content, "\n".join(map(line, matching)) or "no run", as_json)


def line(run: log.Run) -> str:
    stages = ", ".join(
        name if how == "end" else f"{name} {how}" for name, how in run.stages.items() if ":" not in name
    )
    facts = f"{run.start[:19]}  {run.status:8} {run.seconds:7.1f} s  {run.run:22} {run.trigger:12}"
    return f"{facts} {run.commit[:7]:7} {run.version:8} {stages}".rstrip()


def event_line(event: log.Event) -> str:
    known = ("run", "at", "stage", "status")
    facts = "  ".join(f"{name}={value}" for name, value in event.items() if name not in known)
    return f"{event['at'][:23]}  {event['stage']:12} {event['status']:8} {facts}".rstrip()
