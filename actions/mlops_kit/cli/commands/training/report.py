"""`mlops-kit report`"""

import os
import sys
from pathlib import Path

import click

from mlops_kit.cli.options import excludes, json_option, left_by_a_job
from mlops_kit.cli.output import finish, tell
from mlops_kit.cli.workspace import writes


@click.command
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of both files.  [default: .mlops/report at the root]",
)
@click.option(
    "--comment", metavar="NUMBER|auto", help="Update the comment of a pull request; auto: this run's."
)
@click.option(
    "--from",
    "made",
    type=click.Path(path_type=Path, file_okay=False),
    callback=left_by_a_job,
    help="Only comment, with the report that an earlier call left in this folder.",
)
@click.option("--open", "show", is_flag=True, help="Show the page in the browser.")
@json_option
@excludes("--from", "--out", "--open")
def command(out: Path | None, comment: str | None, made: Path | None, show: bool, as_json: bool) -> None:
    """Write how the model is, what changed and whether it may be used: report.md and report.html.

    On a runner the text goes into the run's summary too.
    """
    from mlops_kit.forge import runner
    from mlops_kit.project import contract as contracts
    from mlops_kit.project import repository
    from mlops_kit.reports import publish, report

    repo = repository.find(Path.cwd())
    contract = contracts.load(repo.root)
    if made:
        note = publish.comment_from(made, repo, contract.model, comment or "auto")
        finish({"note": note}, note, as_json)
        return
    writes(repo)
    out = out or Path(os.path.relpath(repo.root / publish.FOLDER))
    published = publish.publish(report.build(repo, contract), repo, out, comment)
    runner.output(markdown=published.text, page=published.page)
    if show:
        click.launch(str(published.page))
    words = published.short if sys.stdout.isatty() else published.markdown
    finish(published.facts, words, as_json)
    for note in published.notes:
        tell(note)
