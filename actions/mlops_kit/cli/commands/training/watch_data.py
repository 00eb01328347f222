"""mlops-kit watch-data."""

import sys
from pathlib import Path

import click

from mlops_kit.cli.options import examples, excludes, json_option
from mlops_kit.cli.output import finish, reporter, tell
from mlops_kit.cli.workspace import writes
from mlops_kit.forge import runner
from mlops_kit.new_data import watch
from mlops_kit.new_data.result import LookResult
from mlops_kit.project import contract as contracts
from mlops_kit.project import repository


@click.command(
    epilog=examples(
        "mlops-kit watch-data --dry-run",
        "mlops-kit watch-data --yes",
    )
)
@click.option("--dry-run", is_flag=True, help="List the new data; change nothing.")
@click.option(
    "--deliver/--no-deliver",
    default=True,
    show_default=True,
    help="Commit the .dvc files to main, or leave them here and list them in .mlops/new-data.json.",
)
@click.option(
    "--handover",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Only deliver what --no-deliver listed in this file.  [default: look for new data]",
)
@click.option("--yes", is_flag=True, help="Deliver without asking.")
@json_option
@excludes("--dry-run", "--deliver", "--no-deliver", "--handover", "--yes")
@excludes("--no-deliver", "--handover", "--yes")
def command(dry_run: bool, deliver: bool, handover: Path | None, yes: bool, as_json: bool) -> None:
    """Look for new data, validate it and deliver it to main.

    `new_data` in mlops.yaml says where to look. One commit with the .dvc files is pushed to main, or becomes a pull
    request. Exits with 10 if new data is invalid.
    """
    repo = repository.find(Path.cwd())
    writes(repo)
    contract = contracts.load(repo.root)
    if handover:
        result = watch.deliver_handover(repo, contract, handover)
    elif dry_run:
        result = watch.look(repo, contract, reporter(), dry=True)
    elif not deliver:
        result = watch.look_and_leave(repo, contract, reporter())
    else:
        result = watch.look_and_deliver(repo, contract, reporter(), lambda result: yes or _agree(result))
    runner.output(found=result.found, paths=" ".join(result.pointers))
    runner.summary("\n".join(f"- {line}" for line in watch.in_words(result).splitlines()))
    for refused in result.refused:
        runner.annotate("error", refused.line)
    for line in result.alarms:
        tell(line)
    finish(result, watch.in_words(result), as_json, yes=not result.refused)


def _agree(result: LookResult) -> bool:
    if runner.on_runner() or not sys.stdin.isatty():
        return True
    tell(watch.in_words(result))
    return click.confirm("Deliver it to main?", default=True, err=True)
