"""`mlops-kit alarm`"""

import sys
from pathlib import Path

import click

from mlops_kit.cli.options import json_option
from mlops_kit.cli.output import finish


@click.command
@click.argument("name")
@click.option("--title", default="", help="Title of the issue.")
@click.option("--text", default="", help="What happened and what to do, in Markdown; - reads stdin.")
@click.option("--clear", is_flag=True, help="Close the issue, if it is open.")
@json_option
def command(name: str, title: str, text: str, clear: bool, as_json: bool) -> None:
    """Raise or clear an alarm of another program, such as an orchestrator.

    Each NAME has one open issue, which is updated if the alarm is raised again. Exits with 1 if the alarm reaches nobody.
    """
    from mlops_kit.alerts import alarm
    from mlops_kit.forge import alarms
    from mlops_kit.project import repository
    from mlops_kit.runs import events

    if clear == bool(title):
        raise click.UsageError("Give --title to raise the alarm, or --clear to close it.")
    repo = repository.find(Path.cwd())
    words = sys.stdin.read() if text == "-" else text
    journal = events.go_on(repo)
    if clear:
        where = alarm.clear_for(repo, name, words or "It is over.", journal)
    else:
        where = alarm.ring_for(repo, alarms.Alarm(name, title, words or title), journal)
    finish({"name": name, "where": where}, where or f"No alarm {name!r} is open.", as_json)
