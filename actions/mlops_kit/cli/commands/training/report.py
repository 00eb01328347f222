"""`mlops-kit report`"""

import os
from pathlib import Path

import click

from mlops_kit.cli import browser
from mlops_kit.cli.options import examples, excludes, json_option, left_by_a_job
from mlops_kit.cli.output import finish, tell
from mlops_kit.cli.workspace import writes


@click.command(
    epilog=examples(
        "mlops-kit report --open",
        "mlops-kit report --comment 12",
    )
)
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Write report.md and report.html here.  [default: .mlops/report at the root]",
)
@click.option(
    "--comment",
    metavar="NUMBER|auto",
    help="Write or update the comment of this pull request; auto: the one of this run.  [default: no comment]",
)
@click.option(
    "--from",
    "made",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    callback=left_by_a_job,
    help="Only comment, with the report in this folder.  [default: make a report]",
)
@click.option("--open", "show", is_flag=True, help="Open report.html in the browser.")
@json_option
@excludes("--from", "--out", "--open")
def command(out: Path | None, comment: str | None, made: Path | None, show: bool, as_json: bool) -> None:
    """Write a report of the last training.

    It says how good the model is, what changed since the version in production, and whether the gates pass. Prints at
    most ten lines; report.html has plots, slices and the history. In CI the report is the summary of the run, too.
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
        browser.show(published.page)
    finish(published.facts, published.short, as_json)
    for note in published.notes:
        tell(note)
