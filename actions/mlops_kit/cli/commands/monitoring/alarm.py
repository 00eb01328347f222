"""`mlops-kit alarm`"""

import sys
from pathlib import Path

import click

from mlops_kit.cli.options import examples, json_option
from mlops_kit.cli.output import finish


@click.command(
    epilog=examples(
        "mlops-kit alarm nightly --title 'The nightly flow failed' --text - < log.md",
        "mlops-kit alarm nightly --clear",
    )
)
@click.argument("name")
@click.option(
    "--title",
    default="",
    metavar="TEXT",
    help="Title of the issue; needed to raise the alarm.  [default: none]",
)
@click.option(
    "--text",
    default="",
    metavar="TEXT",
    help="Text of the issue (Markdown); - reads stdin.  [default: the title]",
)
@click.option("--clear", is_flag=True, help="Close the issue, if it is open.")
@json_option
def command(name: str, title: str, text: str, clear: bool, as_json: bool) -> None:
    """Raise or clear an alarm of another program.

    The program may be an orchestrator, for instance Airflow.

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
        where = alarm.clear_for(repo, name, words or "The alarm is over.", journal)
    else:
        where = alarm.ring_for(repo, alarms.Alarm(name, title, words or title), journal)
    finish({"name": name, "where": where}, where or f"No alarm {name!r} is open.", as_json)
