"""mlops-kit review."""

from pathlib import Path

import click

from mlops_kit.cli.options import excludes, json_option
from mlops_kit.cli.output import finish, reporter, tell


@click.command()
@click.option("--week", metavar="2026-W47", help="By itself the last whole week.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of both files.  [default: .mlops/review at the root]",
)
@click.option(
    "--publish", is_flag=True, help="Bring the issue `Weekly review` up to date too, once for each week."
)
@click.option(
    "--from",
    "made",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Publish what an earlier call left in this folder, and nothing else.",
)
@click.option("--label", "labels", multiple=True, help="One more label for the issue.")
@click.option("--open", "show", is_flag=True, help="Show the page in the browser.")
@json_option
@excludes("--from", "--week", "--out", "--publish", "--open")
def command(
    week: str | None,
    out: Path | None,
    publish: bool,
    made: Path | None,
    labels: tuple[str, ...],
    show: bool,
    as_json: bool,
) -> None:
    """Write the page of a week: quality, drift, alarms, versions, and what to decide."""
    from mlops_kit.base import clock
    from mlops_kit.forge import runner
    from mlops_kit.project import contract, repository
    from mlops_kit.reports.review import collect, pages
    from mlops_kit.reports.review import publish as publishs
    from mlops_kit.versions import version

    here = repository.find(Path.cwd())
    means = contract.load(here.root)
    out = out or here.root / publishs.FOLDER
    if made:
        told = publishs.publish(here, means, made, labels)
        runner.output(url=told.where)
        finish(told, told.says, as_json)
        return
    try:
        monday = collect.monday(week) if week else collect.last_monday(clock.now())
    except ValueError:
        raise click.UsageError(f"{week!r} is no week; write 2026-W47.") from None
    if monday.year < 1970 or monday > clock.now().date():
        raise click.UsageError(f"{week!r} is no week that has begun; write 2026-W47.")
    say = reporter()
    version.refresh(here, means.model, say)
    review = collect.build(here, means, monday, say)
    publishs.write(out, review, pages.markdown(review), pages.html(review))
    runner.output(markdown=out / publishs.TEXT, page=out / publishs.PAGE)
    if publish:
        told = publishs.publish(here, means, out, labels)
        tell(told.says)
    if show:
        click.launch(str(out / publishs.PAGE))
    finish(review, f"{review.headline}\n{out / publishs.PAGE}", as_json)
